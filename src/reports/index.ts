import type { Report } from './report.js';

/** One line a format. Loaded on first use. */
export const reports: Readonly<Record<string, () => Promise<Report>>> = {
  table: async () => (await import('./table.js')).table,
  json: async () => (await import('./json.js')).json,
  ndjson: async () => (await import('./ndjson.js')).ndjson,
  junit: async () => (await import('./junit.js')).junit,
  nagios: async () => (await import('./nagios.js')).nagios,
  markdown: async () => (await import('./markdown.js')).markdown,
  github: async () => (await import('./github.js')).github,
  tap: async () => (await import('./tap.js')).tap,
  csv: async () => (await import('./csv.js')).csv,
  prometheus: async () => (await import('./prometheus.js')).prometheus,
  gitlab: async () => (await import('./gitlab.js')).gitlab,
  sarif: async () => (await import('./sarif.js')).sarif,
  html: async () => (await import('./html.js')).html,
};
