import type { CommandEntry } from './command.js';

/** The commands in help order. One line each; a command's module is loaded only when it is called. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: { group: 'Run', summary: 'Run a runbook on its hosts', load: async () => import('./run.js') },
  check: { group: 'Run', summary: 'Run one check, without a runbook', load: async () => import('./check.js') },
  exec: { group: 'Run', summary: 'Run a command, equal answers shown once', load: async () => import('./exec.js') },
  compare: {
    group: 'Run',
    summary: 'Find the odd one out: hosts grouped by equal facts or answers',
    load: async () => import('./compare.js'),
  },
  resume: { group: 'Run', summary: 'Go on with a run that was cut off', load: async () => import('./resume.js') },
  plan: {
    group: 'Look',
    summary: 'Show what a run would do, contacting nothing',
    load: async () => import('./plan.js'),
  },
  inventory: {
    group: 'Look',
    summary: 'List hosts, groups, or all about one host',
    load: async () => import('./inventory.js'),
  },
  report: { group: 'Look', summary: 'Print a run again, in any format', load: async () => import('./report.js') },
  runs: {
    group: 'Look',
    summary: 'List the runs that are kept, remove old ones',
    load: async () => import('./runs.js'),
  },
  waivers: {
    group: 'Look',
    summary: 'List what is accepted, by whom, and how long still',
    load: async () => import('./waivers.js'),
  },
  steps: {
    group: 'Look',
    summary: 'List the step kinds, or tell all about one',
    load: async () => import('./steps.js'),
  },
  schedule: {
    group: 'Set up',
    summary: 'Make the files with which cron, systemd or a CI runs a runbook',
    load: async () => import('./schedule.js'),
  },
  discover: {
    group: 'Set up',
    summary: 'Write a runbook of the checks that a host passes now',
    load: async () => import('./discover.js'),
  },
  init: { group: 'Set up', summary: 'Make a first inventory and runbook', load: async () => import('./init.js') },
  completion: {
    group: 'Set up',
    summary: 'Print a completion script for your shell',
    load: async () => import('./completion.js'),
  },
  complete: {
    group: 'Set up',
    hidden: true,
    summary: 'Completions for a shell',
    load: async () => import('./complete.js'),
  },
  why: {
    group: 'Look',
    summary: 'Tell where a variable or setting of a host comes from',
    load: async () => import('./why.js'),
  },
  trust: { group: 'Set up', summary: 'Scan, add and list host keys', load: async () => import('./trust.js') },
};
