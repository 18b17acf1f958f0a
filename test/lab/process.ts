import { type SpawnOptions, spawn } from 'node:child_process';

export interface Finished {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Killed after this time; then `signal` is SIGKILL. */
  readonly timeoutSeconds?: number;
}

export interface Started {
  readonly pid: number;
  readonly finished: Promise<Finished>;
  /** What it has written so far. */
  output(): { readonly stdout: string; readonly stderr: string };
}

export function start(command: string, args: readonly string[], options: ProcessOptions = {}): Started {
  const began = performance.now();
  const spawnOptions: SpawnOptions = { stdio: ['pipe', 'pipe', 'pipe'] };
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
  if (options.env !== undefined) spawnOptions.env = options.env;
  const child = spawn(command, args, spawnOptions);
  const written = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  // A command that ends without reading its input must not fail the test with EPIPE.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  const timer =
    options.timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => child.kill('SIGKILL'), options.timeoutSeconds * 1000);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...written, seconds: (performance.now() - began) / 1000 });
    });
  });
  return { pid: child.pid ?? 0, finished, output: () => ({ ...written }) };
}

/** Runs a command to its end, whatever the exit status. */
export function run(command: string, args: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  return start(command, args, options).finished;
}

/** Runs a command that has to succeed. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Finished> {
  const finished = await run(command, args, options);
  if (finished.code !== 0) {
    const ending = finished.code === null ? `signal ${finished.signal}` : `exit status ${finished.code}`;
    throw new Error(`${command} ${args.join(' ')}: ${ending}\n${finished.stderr}${finished.stdout}`);
  }
  return finished;
}

/** Asks again until the answer is true; fails with `what` when that takes too long. */
export async function eventually(what: string, seconds: number, ask: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
