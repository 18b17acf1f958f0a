import type { EventListener } from '../execute/events.js';
import type { Terminal } from '../terminal.js';
import { liveProgress } from './live.js';
import { ndjsonProgress } from './ndjson.js';
import { plainProgress } from './plain.js';

export type ProgressKind = 'live' | 'plain' | 'ndjson' | 'none';

export interface Progress {
  /** Takes an event at once; what it leads to on the screen comes later. */
  readonly onEvent: EventListener;
  /** Takes the moving part off the screen, so that a question can be asked; `resume` brings it back. */
  pause(): Promise<void>;
  resume(): void;
  /** The run was told to stop in order. It may take a while: what runs on the hosts is ended first. */
  stopping(reason: string): void;
  /** Shows what is left and gives the screen back. To be called however the run ends. */
  finish(): Promise<void>;
}

export interface ProgressOptions {
  readonly terminal: Terminal;
  readonly kind: ProgressKind;
  /** Milliseconds since 1970; tests bring their own. */
  readonly now?: () => number;
}

/** Shows a run on stderr while it happens. It never makes the run wait. */
export function createProgress(options: ProgressOptions): Progress {
  switch (options.kind) {
    case 'live':
      return liveProgress(options);
    case 'plain':
      return plainProgress(options);
    case 'ndjson':
      return ndjsonProgress(options);
    case 'none':
      return {
        onEvent: () => {},
        pause: async () => {},
        resume: () => {},
        stopping: () => {},
        finish: async () => {},
      };
  }
}

/** The kind that fits: live on a screen, lines in a log, nothing with `--quiet`. */
export function progressKind(terminal: Terminal, quiet: boolean, env: Readonly<NodeJS.ProcessEnv>): ProgressKind {
  if (quiet) return 'none';
  return terminal.stderrIsTty && env.TERM !== 'dumb' && !env.CI ? 'live' : 'plain';
}
