import type { Subject } from './subject.js';

export const resources: Subject = {
  title: 'Resources and time',
  tag: 'resources',
  find: () => ({
    checks: [
      { uses: 'check.load', name: 'Load' },
      { uses: 'check.memory', name: 'Memory' },
      { uses: 'check.swap', name: 'Swap', optional: true },
      { uses: 'check.pressure', name: 'Waiting for memory', optional: true },
      { uses: 'check.file-descriptors', name: 'Open files' },
      { uses: 'check.clock', name: 'Clock' },
      { uses: 'check.reboot-required', name: 'No restart is due' },
    ],
  }),
};
