import { homedir, userInfo } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import type { CommandContext } from './commands/command.js';
import { commands } from './commands/index.js';
import { nearest } from './documents/nearest.js';
import { exitCode, formatProblems, UserError } from './errors.js';
import { processTerminal, type Terminal } from './terminal.js';

declare const OPSCTL_VERSION: string;
const version = typeof OPSCTL_VERSION === 'string' ? OPSCTL_VERSION : '0.0.0-source';

/** argv → command → exit code. The only place that catches everything. */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  const signal = stopSignal();
  const flags = { debug: false };
  try {
    return await runCommand(argv, terminal, signal, flags);
  } catch (error) {
    return await explain(error, terminal, signal, flags.debug);
  }
}

/** Somebody may have removed the folder under the shell. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    const what = 'the current folder is gone';
    throw new UserError({ code: 'E_NOT_FOUND', what, hint: 'change to another one' }, exitCode.usage, { cause: error });
  }
}

async function runCommand(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
  flags: { debug: boolean },
): Promise<number> {
  let code: number = exitCode.ok;
  const context: CommandContext = {
    terminal,
    argv,
    program: [process.execPath, process.argv[1] ?? ''],
    cwd: currentFolder(),
    env: process.env,
    version,
    user: currentUser(),
    removeVariable(name) {
      delete process.env[name];
    },
    finish(next) {
      code = next;
    },
    signal,
    get debug() {
      return flags.debug;
    },
  };
  refuseBrokenArguments(argv);
  const texts = { out: '', err: '' };
  const program = await buildProgram(argv, context, texts, flags);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.help' && error.exitCode !== 0) {
      // No command was named: the same help as --help, but nothing was done, so it is no success.
      await terminal.err(texts.err);
      return exitCode.usage;
    }
    if (error.exitCode !== 0) throw flagError(error, texts.err, argv);
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
  flags: { debug: boolean },
): Promise<Command> {
  const program = new Command('opsctl')
    .description('Checks, patching, backup verification and access audits, from YAML runbooks')
    .version(version, '-V, --version', 'print the version')
    .commandsGroup('Set up:')
    .helpCommand('help [command]', 'Print help for a command')
    .commandsGroup('')
    .helpOption('-h, --help', 'print help')
    .usage('<command> [options]')
    .enablePositionalOptions()
    .addOption(new Option('--debug').hideHelp())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        texts.out += text;
      },
      writeErr: (text) => {
        texts.err += text;
      },
      getOutHelpWidth: () => helpWidth(context.terminal),
      getErrHelpWidth: () => helpWidth(context.terminal),
    })
    .showSuggestionAfterError(true);
  program.on('option:debug', () => {
    flags.debug = true;
  });
  const wanted = argv.find((argument) => !argument.startsWith('-'));
  const called = wanted === 'help' ? argv.filter((argument) => !argument.startsWith('-'))[1] : wanted;
  if (wanted === 'help' && called !== undefined && !Object.hasOwn(commands, called)) throw unknownCommand(called);
  for (const [name, entry] of Object.entries(commands)) {
    const command = program
      .command(name, { hidden: entry.hidden ?? false })
      .description(entry.summary)
      .helpGroup(`${entry.group}:`);
    command.copyInheritedSettings(program);
    command.helpCommand(false);
    if (name === called) {
      const module = await entry.load();
      await module.define(command, context);
      for (const each of [command, ...command.commands]) addCommonOptions(each, flags);
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

function addCommonOptions(command: Command, flags: { debug: boolean }): void {
  command.option('--debug', 'show stack traces and what is sent and received (secrets stay hidden)');
  command.on('option:debug', () => {
    flags.debug = true;
  });
}

function helpWidth({ stdoutIsTty, width }: Terminal): number {
  return stdoutIsTty ? Math.min(width, 100) : 80;
}

const signalCodes: Readonly<Record<string, number>> = {
  SIGHUP: exitCode.hangup,
  SIGINT: exitCode.interrupted,
  SIGTERM: exitCode.terminated,
};

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

function flagError(error: CommanderError, text: string, argv: readonly string[]): UserError {
  const [first = error.message, ...rest] = (text || error.message).trim().split('\n');
  const what = first
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replace(/^option '([^ ',]+)(?:, ([^ ']+))?[^']*' argument '(.*)' is invalid\. /, (_, short, long, value) => {
      return `\`${long ?? short} ${value}\` is invalid: `;
    })
    .replace(/Allowed choices are /, 'choose one of ')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\. /, '"$1" is no $2: ')
    .replace(/^missing required argument '(.*)'$/, 'missing argument <$1>')
    .replace(
      /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+).*$/,
      '`$1` takes $2, not $3 arguments',
    )
    .replaceAll(/'(.*?)'/g, '`$1`');
  const suggestion = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(rest.join(' '))?.[1];
  return new UserError({ code: 'E_FLAG', what, hint: suggestion ? didYouMean(suggestion) : wayOut(argv) });
}

function unknownCommand(name: string): UserError {
  const meant = nearest(name, Object.keys(commands));
  const hint = meant ? didYouMean(meant) : 'see `opsctl --help`';
  return new UserError({ code: 'E_FLAG', what: `unknown command \`${name}\``, hint });
}

function didYouMean(names: string): string {
  return `did you mean ${names
    .split(', ')
    .map((name) => `\`${name}\``)
    .join(' or ')}?`;
}

function wayOut(argv: readonly string[]): string {
  const [name = '', child = ''] = argv.filter((argument) => !argument.startsWith('-'));
  if (!Object.hasOwn(commands, name)) return 'see `opsctl --help`';
  const nested = ['check', 'inventory', 'trust'].includes(name) && child !== '' ? ` ${child}` : '';
  return `see \`opsctl ${name}${nested} --help\``;
}

async function explain(error: unknown, terminal: Terminal, signal: AbortSignal, debug: boolean): Promise<number> {
  // A signal while files were read or a question was open: nothing had begun, and there is nothing to explain.
  if (signal.aborted && !(error instanceof UserError && error.exit === exitCode.output)) {
    await terminal.err(`opsctl: stopped by ${String(signal.reason)}; nothing was started\n`);
    if (debug) await terminal.err(`${(error as Error).stack}\n`);
    return signalCodes[String(signal.reason)] ?? exitCode.terminated;
  }
  if (error instanceof UserError) {
    await terminal.err(`${formatProblems(error.problems)}\n`);
    if (debug) await terminal.err(`${error.stack}\n`);
    return error.exit;
  }
  const { stack, message } = error as Error;
  await terminal.err(
    `opsctl: E_BUG ${message}\n${stack ?? ''}\nopsctl ${version}, node ${process.version}; please report this\n`,
  );
  return exitCode.bug;
}
