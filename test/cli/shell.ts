import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Project } from '../support/opsctl.js';

const bin = fileURLToPath(new URL('../../bin/opsctl.js', import.meta.url));

export interface ShellEnded {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Puts an `opsctl` that any shell finds into the project; gives the PATH to find it with. */
export function installOpsctl(project: Project): string {
  chmodSync(project.write('bin/opsctl', `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`), 0o755);
  return `${project.folder}/bin:/usr/bin:/bin`;
}

/** Runs a line of bash in the project, with nothing on stdin; a line that hangs is killed and has no code. */
export async function inShell(
  project: Project,
  line: string,
  { env = {}, seconds = 60 }: { readonly env?: Readonly<Record<string, string>>; readonly seconds?: number } = {},
): Promise<ShellEnded> {
  const started = performance.now();
  const child = spawn('/bin/bash', ['-o', 'pipefail', '-c', line], {
    cwd: project.folder,
    env: { PATH: installOpsctl(project), HOME: project.folder, XDG_STATE_HOME: project.state, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr, seconds: (performance.now() - started) / 1000 }));
  });
}

/** A project with hosts on this machine, each with its own name. */
export function localInventory(...names: readonly string[]): string {
  return `hosts:\n${names.map((name) => `  ${name}: { transport: local }\n`).join('')}`;
}

/** A runbook of one step. */
export function oneStep(command: string, more = '', effect: 'read' | 'change' = 'read'): string {
  return `name: One step\nsteps:\n  - { id: x, uses: run.command${more}, with: { command: ${JSON.stringify(command)}, effect: ${effect} } }\n`;
}
