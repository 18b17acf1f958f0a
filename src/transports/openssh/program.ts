import { readFileSync } from 'node:fs';
import { execa, type Options } from 'execa';
import { shortEnvironment } from '../local-environment.js';
import { TransportError } from '../transport.js';

/** Starts the system's ssh, alone in its process group; it runs on when we end. */
export function startSsh(args: readonly string[], options: Pick<Options, 'stdio' | 'stdin' | 'timeout'>) {
  return execa('ssh', args, { ...defaults, ...options });
}

const defaults = {
  buffer: false,
  reject: false,
  detached: true,
  cleanup: false,
  extendEnv: false,
  env: { ...shortEnvironment(process.env), LC_ALL: 'C' },
} as const;

/** Ends what `startSsh` started, and all that it started. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

export function missingSsh(): TransportError {
  return new TransportError('program-missing', 'unreachable', 'the program ssh cannot be started', {
    hint: 'install the OpenSSH client, or set transport: ssh',
  });
}

/** What ssh wrote; nothing when it did not come to that. */
export function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** `ssh -G`: every setting that ssh would use for the name. `undefined` when ssh cannot say. */
export async function effectiveSettings(name: string, configFile?: string): Promise<string | undefined> {
  const file = configFile === undefined ? [] : ['-F', configFile];
  const result = await execa('ssh', ['-G', ...file, '--', name], {
    ...defaults,
    buffer: true,
    stdin: 'ignore',
    stderr: 'ignore',
    timeout: 5_000,
  });
  return result.exitCode === 0 ? result.stdout : undefined;
}
