import type { StepKind } from '../step.js';

/** One line a kind. */
export const checks: Readonly<Record<string, () => Promise<StepKind>>> = {
  'check.command': async () => (await import('./command/step.js')).default,
  'check.cpu': async () => (await import('./cpu/step.js')).default,
  'check.disk': async () => (await import('./disk/step.js')).default,
  'check.dns': async () => (await import('./dns/step.js')).default,
  'check.file': async () => (await import('./file/step.js')).default,
  'check.group': async () => (await import('./group/step.js')).default,
  'check.http': async () => (await import('./http/step.js')).default,
  'check.load': async () => (await import('./load/step.js')).default,
  'check.memory': async () => (await import('./memory/step.js')).default,
  'check.mount': async () => (await import('./mount/step.js')).default,
  'check.ntp': async () => (await import('./ntp/step.js')).default,
  'check.port': async () => (await import('./port/step.js')).default,
  'check.pressure': async () => (await import('./pressure/step.js')).default,
  'check.process': async () => (await import('./process/step.js')).default,
  'check.service': async () => (await import('./service/step.js')).default,
  'check.ssh': async () => (await import('./ssh/step.js')).default,
  'check.swap': async () => (await import('./swap/step.js')).default,
  'check.systemd': async () => (await import('./systemd/step.js')).default,
  'check.tcp': async () => (await import('./tcp/step.js')).default,
  'check.tls': async () => (await import('./tls/step.js')).default,
  'check.uptime': async () => (await import('./uptime/step.js')).default,
  'check.user': async () => (await import('./user/step.js')).default,
};
