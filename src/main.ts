import { homedir, userInfo } from 'node:os';
import { Command, CommanderError } from 'commander';
import type { CommandContext } from './commands/command.js';
import { commands } from './commands/index.js';
import { exitCode, formatProblem, UserError } from './errors.js';
import { processTerminal, type Terminal } from './terminal.js';

declare const OPSCTL_VERSION: string;
const version = typeof OPSCTL_VERSION === 'string' ? OPSCTL_VERSION : '0.0.0-source';

/** argv → command → exit code. The only place that catches everything. */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  const debug = argv.includes('--debug');
  try {
    return await runCommand(argv, terminal);
  } catch (error) {
    return await explain(error, terminal, debug);
  }
}

async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCode.ok;
  const context: CommandContext = {
    terminal,
    argv,
    cwd: process.cwd(),
    env: process.env,
    version,
    user: currentUser(),
    removeVariable(name) {
      delete process.env[name];
    },
    finish(next) {
      code = next;
    },
    signal: stopSignal(),
  };
  refuseBrokenArguments(argv);
  const texts = { out: '', err: '' };
  const program = await buildProgram(argv, context, texts);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw flagError(error, texts.err);
  } finally {
    await terminal.out(texts.out);
  }
  if (terminal.outClosed && code === exitCode.ok && !keepsGoingWithoutOutput(argv)) return exitCode.brokenPipe;
  return code;
}

/** Only the module of the called command is loaded; the others are a name and a summary for help. */
async function buildProgram(
  argv: readonly string[],
  context: CommandContext,
  texts: { out: string; err: string },
): Promise<Command> {
  const program = new Command('opsctl')
    .description('Checks, patching, backup verification and access audits, from YAML runbooks')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'help for a command')
    .helpOption('-h, --help', 'print help')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        texts.out += text;
      },
      writeErr: (text) => {
        texts.err += text;
      },
      getOutHelpWidth: () => context.terminal.width,
      getErrHelpWidth: () => context.terminal.width,
    })
    .showSuggestionAfterError(true);
  const wanted = argv.find((argument) => !argument.startsWith('-'));
  const called = wanted === 'help' ? argv.filter((argument) => !argument.startsWith('-'))[1] : wanted;
  for (const [name, entry] of Object.entries(commands)) {
    const command = program
      .command(name, { hidden: entry.hidden ?? false })
      .description(entry.summary)
      .helpGroup(`${entry.group}:`);
    command.copyInheritedSettings(program);
    if (name === called) {
      const module = await entry.load();
      await module.define(command, context);
      addCommonOptions(command);
      for (const child of command.commands) addCommonOptions(child);
    }
  }
  return program;
}

function currentUser(): CommandContext['user'] {
  const uid = process.getuid?.();
  try {
    return { name: userInfo().username, uid, home: process.env.HOME ?? homedir(), pid: process.pid };
  } catch {
    // No entry in the password file: containers with a made-up uid.
    return { name: process.env.USER ?? String(uid ?? 'unknown'), uid, home: process.env.HOME, pid: process.pid };
  }
}

function addCommonOptions(command: Command): void {
  command.option('--debug', 'show stack traces and what is sent and received (secrets stay hidden)');
}

/** The first signal asks for an orderly stop, the second ends at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      } else controller.abort(signal);
    });
  }
  return controller.signal;
}

/** Node replaces bytes that are not UTF-8 in arguments; such a name would silently be another. */
function refuseBrokenArguments(argv: readonly string[]): void {
  const broken = argv.find((argument) => argument.includes('\u{fffd}'));
  if (broken !== undefined) {
    throw new UserError({
      code: 'E_FLAG',
      what: `argument "${broken}" is not valid UTF-8`,
      hint: 'set the locale, or rename',
    });
  }
}

/** Runs have effects and go on when nobody reads any more; viewers stop quietly. */
function keepsGoingWithoutOutput(argv: readonly string[]): boolean {
  return ['run', 'check', 'exec', 'resume'].includes(argv.find((argument) => !argument.startsWith('-')) ?? '');
}

function flagError(error: CommanderError, text: string): UserError {
  const [first = error.message, ...rest] = (text || error.message).trim().split('\n');
  const what = first.replace(/^error: /, '');
  const suggestion = rest.join(' ').replace(/^\(Did you mean (?:one of )?(.*)\?\)$/, 'did you mean $1?');
  return new UserError({ code: 'E_FLAG', what, hint: suggestion || 'see `opsctl help`' });
}

async function explain(error: unknown, terminal: Terminal, debug: boolean): Promise<number> {
  if (error instanceof UserError) {
    await terminal.err(`${error.problems.map(formatProblem).join('\n')}\n`);
    if (debug) await terminal.err(`${error.stack}\n`);
    return error.exit;
  }
  const { stack, message } = error as Error;
  await terminal.err(
    `opsctl: E_BUG ${message}\n${stack ?? ''}\nopsctl ${version}, node ${process.version}; please report this\n`,
  );
  return exitCode.bug;
}
