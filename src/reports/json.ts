import type { Report } from './report.js';

export const json: Report = {
  name: 'json',
  summary: 'The whole result, schemas/result.schema.json',
  machine: true,
  render: (result) => `${JSON.stringify(result, null, 2)}\n`,
};
