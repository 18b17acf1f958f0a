/** What can be asked of a host, in the order in which people read it. */
export const factNames = [
  'os',
  'kernel',
  'architecture',
  'virtualization',
  'processors',
  'memory',
  'init',
  'shell',
  'timezone',
  'dns',
  'boot',
  'sysctl',
  'modules',
  'mounts',
  'users',
  'groups',
  'packages',
  'services',
  'authorities',
  'sshd',
] as const;

export type FactName = (typeof factNames)[number];
