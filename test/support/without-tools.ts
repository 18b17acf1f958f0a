import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { HostStep } from '../../src/steps/step.js';
import { shells, withDefaults } from './probe.js';

/** What every host has, and a probe may count on. */
const basics = ['cat', 'date', 'id', 'printf', 'readlink', 'sleep', 'stat', 'uname'];

/**
 * Runs a probe on a host that has nothing but the basics and `tools`: shell texts by name, for what the real tool
 * cannot be made to say here. It runs as nobody when the tests run as root, unless `root` is asked for.
 */
export function runWithoutTools(
  // biome-ignore lint/suspicious/noExplicitAny: a kind of any params and data
  kind: HostStep<any, any>,
  given: object = {},
  shell: keyof typeof shells = 'dash',
  tools: Readonly<Record<string, string>> = {},
  user: 'root' | 'nobody' = 'nobody',
): { readonly exitStatus: number | null; readonly stdout: string; readonly stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-tools-'));
  chmodSync(folder, 0o755);
  try {
    for (const name of basics) {
      const path = pathOf(name);
      if (path && !(name in tools)) symlinkSync(path, join(folder, name));
    }
    for (const [name, text] of Object.entries(tools)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const args = kind.args(withDefaults(kind, given)).map(String);
    const path = pathOf(program) ?? program;
    const ran = spawnSync(path, [...options, '-c', kind.probe.text, 'sh', ...args], {
      env: { PATH: folder, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      ...(user === 'nobody' && process.getuid?.() === 0 && { uid: 65_534, gid: 65_534 }),
    });
    return { exitStatus: ran.status, stdout: ran.stdout, stderr: ran.stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function pathOf(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}
