import { exitCode, UserError } from '../../src/errors.js';
import type { Terminal } from '../../src/terminal.js';

export interface FakeTerminal extends Terminal {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export interface FakeTerminalOptions extends Partial<Omit<Terminal, 'out' | 'err' | 'ask' | 'redactWith'>> {
  /** Every write to stdout fails, as on a full disk. */
  readonly full?: boolean;
  /** Milliseconds that each write to stderr takes. */
  readonly slow?: number;
}

/** A terminal in memory. */
export function fakeTerminal({ full, slow, ...changes }: FakeTerminalOptions = {}): FakeTerminal {
  const texts = { out: '', err: '' };
  let filter = (text: string) => text;
  return {
    stdinIsTty: false,
    stdoutIsTty: false,
    stderrIsTty: false,
    color: false,
    colorErr: false,
    width: 100,
    rows: 24,
    outClosed: false,
    ...changes,
    async out(text) {
      if (full) throw new UserError({ code: 'E_OUTPUT', what: 'standard output: no space left' }, exitCode.output);
      texts.out += filter(text);
    },
    async err(text) {
      if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, slow));
      texts.err += filter(text);
    },
    async ask() {
      throw new Error('nobody is there to ask');
    },
    redactWith(next) {
      filter = next;
    },
    stdout: () => texts.out,
    stderr: () => texts.err,
  };
}
