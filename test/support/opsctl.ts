import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../../src/result/result.schema.js';

const bin = fileURLToPath(new URL('../../bin/opsctl.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The result of `-o json`. */
  json(): RunResult;
}

export interface RunningOpsctl {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stderr(): string;
}

/** A project folder of its own, with its own state, in which the built binary runs as a black box. */
export interface Project {
  readonly folder: string;
  readonly state: string;
  write(name: string, text: string): string;
  start(
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
  ): RunningOpsctl;
  run(
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
  ): Promise<Ended>;
  remove(): void;
}

export function makeProject(files: Readonly<Record<string, string>> = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-project-'));
  const state = join(folder, 'state');
  const project: Project = {
    folder,
    state,
    write(name, text) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    start(args, { env = {}, cwd = folder } = {}) {
      const child = spawn(process.execPath, [bin, ...args], {
        cwd,
        // What cron gives, and no more: the tests must not lean on the developer's shell.
        env: { PATH: '/usr/bin:/bin', HOME: folder, XDG_STATE_HOME: state, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const ended = new Promise<Ended>((resolve) => {
        child.on('close', (code, signal) =>
          resolve({ code: code ?? (signal ? -1 : null), stdout, stderr, json: () => JSON.parse(stdout) as RunResult }),
        );
      });
      return { child, ended, stderr: () => stderr };
    },
    run: (args, options) => project.start(args, options).ended,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project;
}

/** The step result of a host, by step key; fails loudly when it is not there. */
export function stepOf(result: RunResult, host: string, step: string) {
  const found = result.hosts.find(({ name }) => name === host)?.steps.find((each) => each.step === step);
  if (!found) throw new Error(`no step ${step} on ${host} in ${JSON.stringify(result.hosts)}`);
  return found;
}
