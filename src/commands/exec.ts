import type { Command } from 'commander';
import { UserError } from '../errors.js';
import { escapeText } from '../reports/escape.js';
import { neutralizer } from '../reports/groups.js';
import { foldHosts } from '../reports/hosts.js';
import type { HostResult, RunResult } from '../result/result.schema.js';
import type { CommandContext } from './command.js';
import { addRunFlags, type RunFlags, readRunFlags } from './run-flags.js';

interface ExecFlags extends RunFlags {
  readonly sudo?: boolean;
  readonly change?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly stepTimeout?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .usage('[options] [--] <command> [arguments]')
    // What follows the command is the command's: in `exec -l web ls -la` the second flag belongs to ls.
    .passThroughOptions()
    .argument('[command...]', 'command: one word is shell text, several are a program and its arguments');
  command
    .optionsGroup('Command:')
    .option('--sudo', 'run as root')
    .option('--change', 'the command changes something: ask first, run it as a job, at most once')
    .option('--dry-run', 'with --change: contact the hosts but change nothing')
    .option('-y, --yes', 'with --change: do not ask')
    .option('--step-timeout <duration>', 'time for the command on one host (default 5m)');
  addRunFlags(command);
  command.action(async (words: string[], flags: ExecFlags) => {
    if (words.length === 0)
      throw new UserError({ code: 'E_FLAG', what: 'no command', hint: 'write `opsctl exec -- uptime`' });
    const { perform } = await import('../perform/perform.js');
    const { parseOutputs } = await import('../reports/outputs.js');
    const elsewhere = flags.output && parseOutputs(flags.output).some(({ file }) => file === undefined);
    const shown = elsewhere ? {} : { show: execText };
    const options = {
      ...readRunFlags(flags),
      runbook: { name: 'command line', text: execRunbook(words, flags) },
      yes: flags.yes ?? false,
    };
    context.finish(await perform({ ...options, ...shown, mode: flags.dryRun ? 'dry-run' : 'run' }, context));
  });
}

/** The command as a runbook. Arguments stay arguments: they never become shell text. */
export function execRunbook(
  words: readonly string[],
  flags: Pick<ExecFlags, 'sudo' | 'change' | 'stepTimeout'>,
): string {
  const [only] = words;
  const literal = (word: string) => word.replaceAll('${{', () => '$${{');
  const call = words.length === 1 ? { command: literal(only ?? '') } : { command: '"$@"', args: words.map(literal) };
  return JSON.stringify({
    name: `exec ${literal(words.join(' ')).slice(0, 80)}`,
    ...(flags.sudo && { sudo: true }),
    steps: [
      {
        name: literal(words.join(' ')).slice(0, 200) || 'command',
        uses: 'run.command',
        ...(flags.stepTimeout !== undefined && { timeout: flags.stepTimeout }),
        with: { ...call, effect: flags.change ? 'change' : 'read' },
      },
    ],
  });
}

/** What the hosts said: equal answers once, with their hosts; what went wrong last, next to the prompt. */
export function execText(result: RunResult): string {
  const groups = new Map<string, { readonly hosts: readonly string[]; readonly text: string; readonly bad: boolean }>();
  for (const host of result.hosts) {
    const { plain, text, bad } = answerOf(host);
    const group = groups.get(plain);
    if (group) groups.set(plain, { hosts: [...group.hosts, host.name], text: plain, bad });
    else groups.set(plain, { hosts: [host.name], text, bad });
  }
  const list = [...groups.values()].sort((a, b) => Number(a.bad) - Number(b.bad) || b.hosts.length - a.hosts.length);
  return list.map(({ hosts, text }) => `${foldHosts(hosts).join(' ')}  (${hosts.length})\n${text}`).join('\n');
}

/** `plain` is the text where a host's own name in what went wrong makes it no other answer. */
function answerOf(host: HostResult): { readonly plain: string; readonly text: string; readonly bad: boolean } {
  const [step] = host.steps;
  const data = step?.data as { exitStatus?: number; stdout?: string; stderr?: string } | undefined;
  const bad = step === undefined || !['ok', 'changed'].includes(step.outcome);
  const lines = [data?.stdout, data?.stderr]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => indent(part as string));
  if (!bad && lines.length === 0) lines.push(indent('(no output)'));
  const said = lines.join('');
  if (!bad) return { plain: said, text: said, bad };
  const why = `${step?.outcome ?? host.outcome}: ${step?.summary ?? host.summary ?? 'no result'}`;
  return { plain: said + indent(neutralizer(host)(why)), text: said + indent(why), bad };
}

function indent(text: string): string {
  return escapeText(text.replace(/\n$/, ''))
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('');
}
