import type { ScheduleTarget } from './job.js';

/** One line a target. */
export const targets: Readonly<Record<string, () => Promise<ScheduleTarget>>> = {
  cron: async () => (await import('./cron.js')).cron,
  systemd: async () => (await import('./systemd.js')).systemd,
  github: async () => (await import('./github.js')).github,
  gitlab: async () => (await import('./gitlab.js')).gitlab,
  jenkins: async () => (await import('./jenkins.js')).jenkins,
};
