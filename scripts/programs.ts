/** The programs that tests and checks run, as Debian packages: installs what is missing, or says how. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { packages } from '../test/support/packages.js';
import { onPath } from '../test/support/programs.js';

type Program = keyof typeof packages;

/**
 * Installs missing packages when this is root on Debian. Returns what to tell the user; throws when something is
 * missing and `required`.
 */
export function installPrograms({
  required,
  only = Object.keys(packages) as Program[],
}: {
  readonly required: boolean;
  readonly only?: readonly Program[];
}): string {
  const missing = missingPackages(only);
  if (missing.length === 0) return '';
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() === 0 && onPath('apt-get')) aptInstall(missing);
  const still = missingPackages(only);
  if (still.length === 0) return `installed ${missing.join(' ')}\n`;
  const message = `missing: ${still.join(' ')}\ninstall with: sudo ${command}\n`;
  if (required) throw new Error(message);
  return message;
}

function missingPackages(programs: readonly Program[]): string[] {
  const absent = programs.filter((program) => !onPath(program));
  return [...new Set(absent.map((program) => packages[program]))].sort();
}

function aptInstall(names: readonly string[]): void {
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  const install = () => apt('install', '-y', '-q', '--no-install-recommends', ...names);
  withoutStartingServices(() => {
    // A fresh machine has no package lists, an old one has stale ones.
    if (!install() && apt('update', '-q')) install();
  });
}

/** A test run must not leave an SSH server listening that nobody asked for. */
function withoutStartingServices(body: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) {
    body();
    return;
  }
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    body();
  } finally {
    rmSync(policy, { force: true });
  }
}
