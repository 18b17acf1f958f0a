import type { Report } from './report.js';

/** One line a format. Loaded on first use. */
export const reports: Readonly<Record<string, () => Promise<Report>>> = {
  json: async () => (await import('./json.js')).json,
};
