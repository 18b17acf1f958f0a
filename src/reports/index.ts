import type { Report } from './report.js';

/** One line a format. Loaded on first use. */
export const reports: Readonly<Record<string, () => Promise<Report>>> = {
  table: async () => (await import('./table.js')).table,
  json: async () => (await import('./json.js')).json,
};
