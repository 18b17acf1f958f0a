import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../documents/duration.js';
import { UserError } from '../errors.js';
import { refuseUserName } from '../inventory/names.js';
import type { RunOptions, ScopeOptions } from '../perform/options.js';
import { reports } from '../reports/index.js';
import type { FailOn } from '../result/exit.js';

/** Flags of every command that selects hosts. */
export interface ScopeFlags {
  readonly inventory?: string[];
  readonly hosts?: string;
  readonly project?: string;
  readonly user?: string;
  readonly transport?: 'local' | 'ssh' | 'openssh';
  readonly acceptNew?: boolean;
}

/** Flags of every command that runs something. */
export interface RunFlags extends ScopeFlags {
  readonly output?: string[];
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly concurrency?: number;
  readonly timeout?: string;
  readonly failOn?: FailOn;
  readonly waivers?: string;
}

/** `narrowed`: whether `-l` narrows the hosts; not where the command itself takes one. */
export function addScopeFlags(command: Command, { narrowed = true } = {}): void {
  command
    .optionsGroup('Hosts:')
    // One value at a time: a list would swallow the runbook in `run -i hosts.yaml patch.yaml`.
    .option('-i, --inventory <source>', 'inventory file, folder, program, or "host1,host2,"; several times', append);
  if (narrowed)
    command.option('-l, --hosts <pattern>', 'only these hosts: web*, a,b, prod,&db, all,!db1, ~regex, @failed');
  command
    .option('--project <folder>', 'project folder with opsctl.yaml')
    .option('-u, --user <name>', "login name, in place of the inventory's")
    .addOption(new Option('--transport <name>', 'how to reach the hosts').choices(['local', 'ssh', 'openssh']))
    .option('--accept-new', 'trust hosts that are not known yet, and remember them (never a changed key)')
    .optionsGroup('Options:');
}

/** For flags that may be given several times. */
export function append(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, value];
}

export function addRunFlags(command: Command): void {
  addScopeFlags(command);
  command
    .optionsGroup('Report:')
    .option('-o, --output <format[=file]>', `${Object.keys(reports).join(', ')}; several times`, append)
    .option('-q, --quiet', 'print nothing when all is well')
    .option('-v, --verbose', 'show each result, all findings and whole outputs')
    .addOption(new Option('--fail-on <level>', 'what makes the run fail, exit 1').choices(['failed', 'warning', 'new']))
    .option('--waivers <file>', 'accepted findings, in place of the `waivers` of opsctl.yaml')
    .optionsGroup('Pace:')
    .option('--concurrency <hosts>', 'hosts in flight at once (default 100)', wholeNumber)
    .option('--timeout <duration>', 'deadline of the whole run, such as 30m', duration)
    .optionsGroup('Options:');
}

export function readScopeFlags(flags: ScopeFlags): ScopeOptions {
  const refusal = flags.user === undefined ? undefined : refuseUserName(flags.user);
  if (refusal) throw new UserError(refusal);
  return {
    ...(flags.inventory && { inventory: flags.inventory }),
    ...(flags.hosts !== undefined && { limit: flags.hosts }),
    ...(flags.project !== undefined && { project: flags.project }),
    ...(flags.user !== undefined && { user: flags.user }),
    ...(flags.transport !== undefined && { transport: flags.transport }),
    ...(flags.acceptNew && { trust: 'accept-new' }),
  };
}

export function readRunFlags(flags: RunFlags): Omit<RunOptions, 'runbook' | 'mode'> {
  return {
    ...readScopeFlags(flags),
    ...(flags.output && { outputs: flags.output }),
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
    ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
    ...(flags.timeout !== undefined && { timeout: flags.timeout }),
    ...(flags.failOn !== undefined && { failOn: flags.failOn }),
    ...(flags.waivers !== undefined && { waivers: flags.waivers }),
  };
}

/** `--param NAME=VALUE`, several. */
export function readParams(list: readonly string[]): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  for (const text of list) {
    const split = text.indexOf('=');
    if (split <= 0)
      throw new UserError({
        code: 'E_FLAG',
        what: `\`--param ${text}\` has no value`,
        hint: 'write `--param NAME=VALUE`',
      });
    params[text.slice(0, split)] = text.slice(split + 1);
  }
  return params;
}

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  return number;
}

function duration(text: string): string {
  try {
    parseDuration(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [problem] = error.problems;
    throw new InvalidArgumentError(problem?.hint ?? problem?.what ?? error.message);
  }
  return text;
}
