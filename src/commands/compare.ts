import type { Command } from 'commander';
import { nearest } from '../documents/nearest.js';
import { type ExitCode, exitCode, UserError } from '../errors.js';
import { findRun, readResult } from '../journal/runs.js';
import {
  type Answer,
  answersOf,
  type Comparison,
  compareAnswers,
  comparisonJson,
  comparisonText,
} from '../reports/odd-one-out.js';
import type { RunResult } from '../result/result.schema.js';
import { type FactName, factNames } from '../steps/run/facts/names.js';
import type { CommandContext } from './command.js';
import { execRunbook } from './exec.js';
import { addScopeFlags, append, readScopeFlags, type ScopeFlags } from './run-flags.js';
import { chooseStateFolder } from './state-folder.js';

interface Flags extends ScopeFlags {
  readonly fact?: readonly string[];
  readonly run?: string;
  readonly step?: string;
  readonly value?: string;
  readonly ignore?: readonly string[];
  readonly sudo?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command
    .usage('[options] [--] [command] [arguments]')
    .passThroughOptions()
    .argument('[command...]', 'compare what a command prints, in place of facts');
  command
    .optionsGroup('What:')
    .option('--fact <name>', `only this fact, several times: ${factNames.join(', ')}`, append)
    .option('--run <run>', 'compare what an earlier run found: a run id, or `last`')
    .option('--step <step>', 'with --run: id or kind of the step')
    .option('--value <path>', 'with --run: what to compare, such as data.version or metrics.used{/} (default data)')
    .option('--ignore <regex>', 'lines that do not count, several times', append)
    .option('--sudo', 'ask as root');
  addScopeFlags(command);
  command
    .optionsGroup('Report:')
    .option('--json', 'print the groups as JSON')
    .option('-q, --quiet', 'print nothing when all hosts are alike')
    .option('-v, --verbose', 'show every line of what differs');
  command.action(async (words: string[], flags: Flags) => {
    const ignores = await ignoring(flags.ignore ?? []);
    if (flags.run !== undefined) return compareRun(flags.run, words, flags, ignores, context);
    const given = flags.step ?? flags.value;
    if (given !== undefined)
      throw new UserError({ code: 'E_FLAG', what: '--step and --value belong to --run', hint: 'add `--run last`' });
    const facts = readFacts(flags.fact ?? []);
    if (words.length > 0 && facts.length > 0)
      throw new UserError({ code: 'E_FLAG', what: 'facts and a command at once', hint: 'compare one, then the other' });
    const compared: Comparison[] = [];
    const show = (result: RunResult) => {
      compared.push(...(words.length > 0 ? ofOutput(result, words, ignores) : ofFacts(result, facts, ignores)));
      return shown(compared, flags);
    };
    const text = words.length > 0 ? execRunbook(words, flags) : factsRunbook(facts, flags);
    const { perform } = await import('../perform/perform.js');
    const options = { ...readScopeFlags(flags), runbook: { name: 'command line', text }, mode: 'run' as const, show };
    context.finish(worse(await perform(options, context), compared));
  });
}

async function compareRun(
  run: string,
  words: readonly string[],
  flags: Flags,
  ignores: (line: string) => boolean,
  context: CommandContext,
): Promise<void> {
  if (words.length > 0 || flags.fact)
    throw new UserError({ code: 'E_FLAG', what: 'a run that is over answers no questions', hint: 'leave --run away' });
  const result = await readResult(await findRun(await chooseStateFolder(context, flags.project), run, context.cwd));
  const path = flags.value ?? 'data';
  const answers = answersOf(result, flags.step, path);
  if (!answers)
    throw new UserError({
      code: 'E_FLAG',
      what: `no step ${flags.step ?? ''} in run ${result.run.id}`,
      hint: `it has ${namesOfSteps(result).slice(0, 10).join(', ')}`,
    });
  const compared = [compareAnswers(`${flags.step ?? 'step'} ${path}`, answers, ignores)];
  const text = shown(compared, flags);
  if (text !== '') await context.terminal.out(text);
  context.finish(worse(exitCode.ok, compared));
}

/** What `--step` takes: ids, or kinds. */
function namesOfSteps({ hosts }: RunResult): readonly string[] {
  return [...new Set(hosts.flatMap(({ steps }) => steps.map(({ step, uses }) => (/^\d/.test(step) ? uses : step))))];
}

function readFacts(given: readonly string[]): readonly FactName[] {
  return given.map((name) => {
    const known = factNames.find((fact) => fact === name);
    if (known) return known;
    const meant = nearest(name, factNames);
    const hint = meant ? `did you mean \`${meant}\`?` : `facts are ${factNames.join(', ')}`;
    throw new UserError({ code: 'E_FLAG', what: `unknown fact "${name}"`, hint });
  });
}

function factsRunbook(facts: readonly FactName[], { sudo }: Flags): string {
  const step = { uses: 'run.facts', ...(facts.length > 0 && { with: { facts } }) };
  return JSON.stringify({ name: 'compare facts', ...(sudo && { sudo }), steps: [step] });
}

async function ignoring(patterns: readonly string[]): Promise<(line: string) => boolean> {
  if (patterns.length === 0) return () => false;
  const { cachedRegex, RegexError } = await import('../expressions/regex.js');
  try {
    const compiled = patterns.map((pattern) => cachedRegex(pattern));
    return (line) => compiled.some((regex) => regex.test(line));
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new UserError({
      code: 'E_FLAG',
      what: `--ignore: ${error.message}`,
      hint: 'write a regular expression of RE2',
    });
  }
}

function ofFacts(result: RunResult, asked: readonly FactName[], ignores: (line: string) => boolean): Comparison[] {
  const names = asked.length > 0 ? asked : factNames;
  return names.flatMap((name) => {
    const answers = new Map<string, Answer>();
    let known = false;
    for (const { name: host, steps, summary } of result.hosts) {
      const [step] = steps;
      const data = step?.data as { values?: Record<string, string>; unknown?: Record<string, string> } | undefined;
      const value = data?.values?.[name];
      known ||= value !== undefined;
      const problem = data?.unknown?.[name] ?? step?.summary ?? summary ?? 'no result';
      answers.set(host, value === undefined ? { problem } : { value });
    }
    // What no host knows is of no interest unless somebody asked.
    return known || asked.length > 0 ? [compareAnswers(name, answers, ignores)] : [];
  });
}

function ofOutput(result: RunResult, words: readonly string[], ignores: (line: string) => boolean): Comparison[] {
  const answers = new Map<string, Answer>();
  for (const { name: host, steps, summary } of result.hosts) {
    const [step] = steps;
    const data = step?.data as { exitStatus?: number; stdout?: string; stderr?: string } | undefined;
    if (data?.exitStatus === undefined) answers.set(host, { problem: step?.summary ?? summary ?? 'no result' });
    else {
      const status = data.exitStatus === 0 ? '' : `\n(exit status ${data.exitStatus})`;
      answers.set(host, { value: `${`${data.stdout ?? ''}${data.stderr ?? ''}`.trimEnd()}${status}` });
    }
  }
  return [compareAnswers(words.join(' '), answers, ignores)];
}

function shown(compared: readonly Comparison[], { json, quiet, verbose }: Flags): string {
  if (json) return comparisonJson(compared);
  const alike = compared.every(({ same, groups }) => same && groups.length <= 1);
  return quiet && alike ? '' : comparisonText(compared, { whole: verbose ?? false });
}

/** A difference is a failure that is known, as in the exit codes of runs. */
function worse(code: ExitCode, compared: readonly Comparison[]): ExitCode {
  const differs = compared.some(({ same }) => !same);
  return differs && (code === exitCode.ok || code === exitCode.unreachable) ? exitCode.failed : code;
}
