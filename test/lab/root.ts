import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from './process.js';

const basePackages = [
  'bindfs',
  'busybox',
  'ca-certificates',
  'cron',
  'dbus',
  'e2fsprogs',
  'iproute2',
  'libpam-systemd',
  'nginx-light',
  'openssh-server',
  'openssl',
  'procps',
  'sudo',
  'systemd',
  'systemd-sysv',
];

const script = join(import.meta.dirname, 'build-root.sh');

/** The folder of a Debian root with these packages; built when it is not in the cache yet, which takes half a minute. */
export async function ensureRoot(morePackages: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const packages = [...new Set([...basePackages, ...morePackages])].sort().join(',');
  const key = createHash('sha256').update(readFileSync(script)).update(packages).digest('hex').slice(0, 16);
  const cache = env.XDG_CACHE_HOME ? join(env.XDG_CACHE_HOME, 'opsctl-lab') : '/var/cache/opsctl-lab';
  const root = join(cache, `bookworm-${key}`);
  await mustRun('sh', [script, root, packages], { timeoutSeconds: 600 });
  return root;
}
