import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../errors.js';
import type { ScheduleOptions } from '../perform/schedule.js';
import { targets } from '../schedule/index.js';
import type { Schedule, ScheduledFile } from '../schedule/job.js';
import { shellWord } from '../schedule/shell.js';
import type { CommandContext } from './command.js';
import { addRunbookFlags, type RunbookFlags, runOptions } from './run.js';
import { addRunFlags } from './run-flags.js';

interface ScheduleFlags extends RunbookFlags, Omit<ScheduleOptions, 'target' | 'run'> {
  readonly as: string;
  readonly into?: string;
  readonly force?: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument('<runbook>', 'runbook file')
    .optionsGroup('Schedule:')
    .addOption(
      new Option('--as <target>', 'what shall start the runs').choices(Object.keys(targets)).makeOptionMandatory(),
    )
    .option('--every <period>', 'evenly: 5m, 15m, 1h, 6h, 1d, 1w …')
    .option('--at <time>', 'daily or on some weekdays: 02:30, "Sun 02:30", "Mon-Fri 02:30"')
    .option('--calendar <fields>', 'as in a crontab: "30 2 1 * *"; or hourly, daily, weekly, monthly')
    .option('--jitter <duration>', 'longest wait before the start, the same every time on one machine; 0 for none')
    .option('--name <name>', 'name of the job (default: opsctl- and the name of the runbook file)')
    .option('--run-as <user>', 'cron, systemd: user that runs it (default: you)')
    .option('--mail-to <address>', 'cron: who gets mail when a run was not well')
    .option('--install <command>', 'CI: how to install opsctl')
    .option('--into <folder>', 'write the files below this folder; without it they are printed')
    .option('--force', 'replace files that exist');
  addRunbookFlags(command);
  command
    .optionsGroup('Runbook:')
    .option('--dry-run', 'contact the hosts but change nothing')
    .option('-y, --yes', 'change without asking');
  addRunFlags(command);
  command.action(async (runbook: string, flags: ScheduleFlags) => {
    await runSchedule(scheduleOptions(runbook, flags), flags, context);
  });
}

function scheduleOptions(runbook: string, flags: ScheduleFlags): ScheduleOptions {
  const { as: target, every, at, calendar, jitter, name, runAs, mailTo, install } = flags;
  const times = { ...(every && { every }), ...(at && { at }), ...(calendar && { calendar }) };
  if (Object.keys(times).length !== 1) {
    const what = Object.keys(times).length === 0 ? 'no time is given' : 'several times are given';
    throw new UserError({ code: 'E_FLAG', what, hint: 'pass one of `--every`, `--at`, `--calendar`' });
  }
  return {
    target,
    ...times,
    ...(jitter !== undefined && { jitter }),
    ...(name !== undefined && { name }),
    ...(runAs !== undefined && { runAs }),
    ...(mailTo !== undefined && { mailTo }),
    ...(install !== undefined && { install }),
    run: { ...runOptions(runbook, flags), runbook },
  };
}

/** Files on stdout or into a folder; what is to be done with them on stderr, out of the way of a redirection. */
async function runSchedule(
  options: ScheduleOptions,
  { into, force }: ScheduleFlags,
  context: CommandContext,
): Promise<void> {
  const { makeSchedule } = await import('../perform/schedule.js');
  const schedule = await makeSchedule(options, context);
  const { files } = schedule;
  if (into === undefined) await context.terminal.out(listing(files));
  else {
    const paths = files.map(({ path }) => join(into, path));
    refuseExisting(paths, force ?? false, context);
    for (const [index, { text, mode }] of files.entries()) {
      const path = resolve(context.cwd, paths[index] ?? '');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { mode: Number.parseInt(mode, 8), flag: force ? 'w' : 'wx' });
    }
    await context.terminal.out(`wrote ${paths.join(', ')}\n`);
  }
  await context.terminal.err(
    `next:\n${steps(schedule, into)
      .map((line) => `  ${line}\n`)
      .join('')}`,
  );
}

function refuseExisting(paths: readonly string[], force: boolean, { cwd }: CommandContext): void {
  const existing = paths.filter((path) => existsSync(resolve(cwd, path)));
  if (existing.length === 0 || force) return;
  const what = `${existing.join(', ')} ${existing.length === 1 ? 'exists' : 'exist'} already`;
  throw new UserError({ code: 'E_EXISTS', what, hint: 'choose another folder, or pass `--force`' });
}

/** One file as it is, so that it can be redirected to its place; several each under its path. */
function listing(files: readonly ScheduledFile[]): string {
  const [only, ...others] = files;
  if (only && others.length === 0) return only.text;
  return files.map(({ path, mode, text }) => `# --- ${path} (${mode})\n${text}`).join('\n');
}

function steps({ files, prepare, next }: Schedule, into: string | undefined): readonly string[] {
  const onMachine = files.filter(({ path }) => path.startsWith('/'));
  const places = onMachine.map(({ path, mode }) =>
    into === undefined
      ? `# write ${path}, mode ${mode}`
      : `install -D -m ${mode} ${shellWord(join(into, path))} ${path}`,
  );
  if (onMachine.length === 0)
    return [...(into === undefined ? files.map(({ path }) => `# write ${path}`) : []), ...prepare, ...next];
  const hint = into === undefined ? ['# easier with `--into FOLDER`, which writes the files for you'] : [];
  return ['# as root:', ...hint, ...prepare, ...places, ...next];
}
