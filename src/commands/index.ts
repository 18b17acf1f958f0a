import type { CommandEntry } from './command.js';

/** The commands in help order. One line each; a command's module is loaded only when it is called. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: { group: 'Run', summary: 'Run a runbook on its hosts', load: async () => import('./run.js') },
  report: { group: 'Look', summary: 'Print a run again, in any format', load: async () => import('./report.js') },
  runs: { group: 'Look', summary: 'List the runs that are kept', load: async () => import('./runs.js') },
  steps: { group: 'Look', summary: 'List the step kinds, or tell all about one', load: async () => import('./steps.js') },
  trust: { group: 'Set up', summary: 'Scan, add and list host keys', load: async () => import('./trust.js') },
};
