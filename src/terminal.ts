import { once } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { exitCode, UserError } from './errors.js';

/**
 * stdin, stdout and stderr as one injectable object, and the only writer. A write error is never lost:
 * a full disk becomes exit 74, a closed pipe stops viewers quietly (141) and is ignored by runs.
 */
export interface Terminal {
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Colour on stdout / stderr: a TTY, no NO_COLOR, no TERM=dumb, or FORCE_COLOR. */
  readonly color: boolean;
  readonly colorErr: boolean;
  /** Columns of the screen; 100 when it is not one. */
  readonly width: number;
  readonly rows: number;
  /** Resolves when the stream took the text. Rejects with a UserError, exit 74, when it cannot. */
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
  /** All that leaves passes `filter` first; set once the secrets of a run are known. */
  redactWith(filter: (text: string) => string): void;
  /**
   * Asks for a line of text. Only where stdin and stderr are terminals: check first. Rejects with a UserError,
   * exit 130, on Ctrl-C, and when `signal` aborts.
   */
  ask(message: string, preset?: string, signal?: AbortSignal): Promise<string>;
  /** The reader of stdout has gone away. */
  readonly outClosed: boolean;
}

export function processTerminal(
  stdin: NodeJS.ReadStream = process.stdin,
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Terminal {
  let filter = (text: string) => text;
  let outClosed = false;
  let outError: Error | undefined;
  // Errors are taken from the write callbacks; these listeners keep a late EPIPE from being an uncaught exception.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') outClosed = true;
    else outError ??= error;
  });
  stderr.on('error', () => {});
  return {
    stdinIsTty: Boolean((stdin as ReadStream).isTTY),
    stdoutIsTty: Boolean((stdout as WriteStream).isTTY),
    stderrIsTty: Boolean((stderr as WriteStream).isTTY),
    color: wantsColor(stdout, env),
    colorErr: wantsColor(stderr, env),
    // Read anew each time: a window may change its size while a run is on.
    get width() {
      return (stdout as WriteStream).columns || (stderr as WriteStream).columns || 100;
    },
    get rows() {
      return (stderr as WriteStream).rows || 24;
    },
    async out(text) {
      if (outError) throw outputError(outError);
      if (outClosed || text === '') return;
      try {
        await write(stdout, filter(text));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') outClosed = true;
        else throw outputError(error as Error);
      }
    },
    async err(text) {
      await write(stderr, filter(text)).catch(() => {});
    },
    async ask(message, preset, signal) {
      const { askText } = await import('./commands/prompts.js');
      return askText(stdin, stderr, message, preset, signal);
    },
    redactWith(next) {
      filter = next;
    },
    get outClosed() {
      return outClosed;
    },
  };
}

async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const more = stream.write(text, (error) => (error ? reject(error) : resolve()));
    if (!more) once(stream, 'drain').catch(() => {});
  });
}

function outputError(error: Error): UserError {
  return new UserError(
    { code: 'E_OUTPUT', what: `standard output: ${error.message}`, hint: 'free space or choose another file' },
    exitCode.output,
    {
      cause: error,
    },
  );
}

function wantsColor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return Boolean((stream as WriteStream).isTTY) && env.TERM !== 'dumb';
}
