import type { Command } from 'commander';
import type { ExitCode } from '../errors.js';
import type { Terminal } from '../terminal.js';

/** What the world looks like to a command; tests build their own. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** What the user typed, for commands whose flags depend on it. */
  readonly argv: readonly string[];
  /** What starts opsctl anew: the paths of node and of opsctl. */
  readonly program: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly version: string;
  /** The user that opsctl runs as; `uid` is undefined where the system has none. */
  readonly user: {
    readonly name: string;
    readonly uid: number | undefined;
    readonly home: string | undefined;
    readonly pid: number;
  };
  /** Takes a secret's variable out of the environment once it was read. */
  removeVariable(name: string): void;
  /** Tells `main` the exit code. Not calling it means 0. */
  finish(code: ExitCode): void;
  /** Aborts on SIGINT, SIGTERM, SIGHUP with the signal's name as reason; a second signal ends the process. */
  readonly signal: AbortSignal;
  /** `--debug`: tell what is sent and received. */
  readonly debug?: boolean;
}

/**
 * One command. Three names: `define<Name>` puts the flags on the commander command and turns them into
 * `<Name>Options`; `run<Name>(options, context)` does the work, so that tests can call it without argv.
 */
export interface CommandModule {
  define(command: Command, context: CommandContext): void | Promise<void>;
}

export interface CommandEntry {
  readonly summary: string;
  readonly group: 'Run' | 'Look' | 'Set up';
  /** Not for people: left out of help. */
  readonly hidden?: true;
  load(): Promise<CommandModule>;
}
