import type { CommandEntry } from './command.js';

/** The commands in help order. One line each; a command's module is loaded only when it is called. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: { group: 'Run', summary: 'Run a runbook on its hosts', load: async () => import('./run.js') },
};
