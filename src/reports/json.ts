import { printJson } from './escape.js';
import type { Report } from './report.js';

export const json: Report = {
  name: 'json',
  summary: 'The whole result, schemas/result.schema.json',
  machine: true,
  render: (result) => `${printJson(result, 2)}\n`,
};
