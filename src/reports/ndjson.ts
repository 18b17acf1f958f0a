import { printJson } from './escape.js';
import type { Report } from './report.js';

export const ndjson: Report = {
  name: 'ndjson',
  summary: 'One JSON record a line: run, every host and step, end',
  machine: true,
  render: ({ schema, run, hosts, exit, totals, warnings }) => {
    const records = [
      { type: 'run', schema, ...run },
      ...hosts.flatMap(({ steps, ...host }) => [
        { type: 'host', run: run.id, ...host },
        ...steps.map((step) => ({ type: 'step', run: run.id, host: host.name, ...step })),
      ]),
      { type: 'end', run: run.id, exit, totals, warnings },
    ];
    return `${records.map((record) => printJson(record)).join('\n')}\n`;
  },
};
