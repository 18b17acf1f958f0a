import { execa } from 'execa';
import type { InventoryContext } from './source-kind.js';

export type ProgramResult =
  | { readonly kind: 'done'; readonly stdout: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'stopped' };

const outputLimit = 100 * 1024 * 1024;

/** Runs a program without a shell and without standard input, with a deadline and a limit to what it may print. */
export async function runProgram(
  path: string,
  args: readonly string[],
  { cwd, env, signal, seconds }: InventoryContext & { readonly seconds: number },
): Promise<ProgramResult> {
  const result = await execa(path, args, {
    cwd,
    env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: seconds * 1000,
    forceKillAfterDelay: 1000,
    maxBuffer: outputLimit,
    ...(signal && { cancelSignal: signal }),
  });
  if (result.isCanceled) return { kind: 'stopped' };
  if (result.timedOut) return { kind: 'timeout' };
  if (result.isMaxBuffer) return { kind: 'failed', reason: 'printed more than 100 MB' };
  if (!result.failed) return { kind: 'done', stdout: result.stdout };
  const lastWords = result.stderr.trim().split('\n').at(-1)?.slice(0, 200);
  const end =
    result.exitCode !== undefined
      ? `ended with status ${result.exitCode}`
      : result.signal
        ? `ended by ${result.signal}`
        : `could not be started (${result.code ?? 'unknown'})`;
  return { kind: 'failed', reason: lastWords ? `${end}: ${lastWords}` : end };
}
