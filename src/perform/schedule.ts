import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { CommandContext } from '../commands/command.js';
import { parseDuration } from '../documents/duration.js';
import { checkOutputPath } from '../documents/paths.js';
import { exitCode, UserError } from '../errors.js';
import { refuseUserName } from '../inventory/names.js';
import { itemsOf } from '../plan/items.js';
import type { Plan, Segment } from '../plan/plan.js';
import { parseOutputs } from '../reports/outputs.js';
import { atTime, type Calendar, everyPeriod, fromCron, shortestGap } from '../schedule/calendar.js';
import { targets } from '../schedule/index.js';
import type { Schedule, ScheduledJob, ScheduleTarget } from '../schedule/job.js';
import { shellWord } from '../schedule/shell.js';
import { wantedSecrets } from './gather-secrets.js';
import type { RunOptions } from './options.js';
import { type Prepared, prepare } from './prepare.js';
import { runArguments } from './run-arguments.js';

export interface ScheduleOptions {
  readonly target: string;
  /** One of these three is there. */
  readonly every?: string;
  readonly at?: string;
  readonly calendar?: string;
  /** A duration, or `0`. */
  readonly jitter?: string;
  readonly name?: string;
  readonly runAs?: string;
  readonly mailTo?: string;
  readonly install?: string;
  readonly run: RunOptions & { readonly runbook: string };
}

const hour = 3_600;

/** A run that is checked as if it were to start now, and the files that start it again and again. Contacts nothing. */
export async function makeSchedule(options: ScheduleOptions, context: CommandContext): Promise<Schedule> {
  const load = targets[options.target];
  if (!load) throw new Error(`no target ${options.target}`);
  const target = await load();
  const name = jobName(options);
  const user = options.runAs ?? context.user.name;
  refuseWords(options, user);
  const calendar = chooseCalendar(options, name);
  const prepared = await prepare(options.run, context);
  refuseUnconfirmed(prepared.plan, options.run.yes ?? false);
  parseOutputs(options.run.outputs ?? []);
  const place = target.place === 'ci' ? inRepository(context.cwd) : onMachine(context.cwd);
  const deadline = chooseDeadline(options, prepared.plan);
  const outputs = await placeOutputs(options.run.outputs ?? [], target, place, context.cwd);
  const { run } = options;
  const placed = {
    ...run,
    ...placePaths(run, place.path, context.cwd),
    outputs,
    timeout: `${deadline}s`,
    // Cron mails whatever is printed, and a journal of green runs hides the others.
    quiet: target.place === 'machine' || (run.quiet ?? false),
  };
  const job: ScheduledJob = {
    name,
    title: prepared.runbook.value.name,
    calendar,
    jitter: chooseJitter(options, calendar),
    deadline,
    args: runArguments(placed),
    program: context.program,
    folder: place.folder,
    user,
    ...(options.mailTo !== undefined && { mailTo: options.mailTo }),
    install: options.install ?? `npm install --global --ignore-scripts ./opsctl-${context.version}.tgz`,
    secrets: environmentSecrets(prepared),
    measuresItself: measuresItself(prepared.plan, options.run),
    bringsHostKeys: prepared.project.knownHosts.length > 0,
    writes: writtenFolders(prepared, options.run, outputs, context),
    madeBy: ['opsctl', ...context.argv].map(shellWord).join(' '),
  };
  return target.render(job);
}

function jobName({ name, run }: ScheduleOptions): string {
  if (name !== undefined) {
    if (/^[A-Za-z][A-Za-z0-9-]{0,59}$/.test(name)) return name;
    const what = `\`--name ${name}\` is no name for files and units`;
    throw new UserError({ code: 'E_FLAG', what, hint: 'take letters, digits and `-`, at most 60' });
  }
  const file = basename(run.runbook, extname(run.runbook));
  const words = file.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `opsctl-${words.slice(0, 50) || 'run'}`;
}

/** Both stand in a crontab or a unit as they are. */
function refuseWords({ mailTo }: ScheduleOptions, user: string): void {
  const problem = refuseUserName(user);
  if (problem) throw new UserError(problem);
  if (mailTo !== undefined && !/^[\w@.+-]+(,[\w@.+-]+)*$/.test(mailTo))
    throw new UserError({
      code: 'E_FLAG',
      what: `\`--mail-to ${mailTo}\` is no address`,
      hint: 'write ops@example.com, several with commas in between',
    });
}

function chooseCalendar({ every, at, calendar }: ScheduleOptions, name: string): Calendar {
  if (at !== undefined) return atTime(at);
  if (calendar !== undefined) return fromCron(calendar);
  // The same on one machine every time, and another one elsewhere.
  const offset = createHash('sha256').update(`${hostname()}\0${name}`).digest().readUInt32BE();
  return everyPeriod(every ?? '', offset % (7 * 24 * 60));
}

/** Who says `15m` does not mind the minute, and who says `02:30` does not mind five of them. */
function chooseJitter({ jitter }: ScheduleOptions, calendar: Calendar): number {
  const period = shortestGap(calendar) * 60;
  if (jitter === undefined) return Math.min(300, Math.floor(period / 10));
  const seconds = /^0s?$/.test(jitter) ? 0 : Math.floor(parseDuration(jitter, '`--jitter`'));
  if (seconds < period) return seconds;
  // A run that still waits would keep the next one out.
  const what = `\`--jitter ${jitter}\` is not less than the ${period / 60} minutes between two starts`;
  throw new UserError({ code: 'E_FLAG', what, hint: 'choose a shorter one' });
}

function chooseDeadline({ every }: ScheduleOptions, { timeout }: Plan): number {
  return Math.ceil(timeout ?? Math.min(hour, every === undefined ? hour : parseDuration(every)));
}

/** Nobody is there to be asked. */
function refuseUnconfirmed(plan: Plan, yes: boolean): void {
  const changing = plan.hosts.filter(({ body }) =>
    itemsOf(body).some(({ step, skip }) => step.effect === 'change' && !skip),
  ).length;
  if (changing === 0 || yes || plan.mode === 'dry-run') return;
  throw new UserError(
    {
      code: 'E_NOT_CONFIRMED',
      what: `every run would change ${changing} ${changing === 1 ? 'host' : 'hosts'}, and nobody is there to be asked`,
      hint: 'pass `--yes`, or `--dry-run`',
    },
    exitCode.refused,
  );
}

interface Placement {
  readonly folder: string;
  /** How a path is written where the job runs. */
  path(path: string): string;
}

function onMachine(cwd: string): Placement {
  return { folder: cwd, path: (path) => resolve(cwd, path) };
}

/** A CI has a checkout and nothing else: paths are relative to it, and none leads out of it. */
function inRepository(cwd: string): Placement {
  const root = repositoryOf(cwd) ?? cwd;
  return {
    folder: toPosix(relative(root, cwd)) || '.',
    path(path) {
      const full = resolve(cwd, path);
      const fromRoot = relative(root, full);
      if (fromRoot === '..' || fromRoot.startsWith(`..${sep}`) || isAbsolute(fromRoot))
        throw new UserError({
          code: 'E_FLAG',
          what: `${path} is outside the repository ${root}, which is all that a CI sees`,
          hint: 'move it into the repository',
        });
      const words = toPosix(relative(cwd, full));
      return words.startsWith('-') ? `./${words}` : words || '.';
    },
  };
}

function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, '.git'))) return folder;
  return folder === dirname(folder) ? undefined : repositoryOf(dirname(folder));
}

function toPosix(path: string): string {
  return path.split(sep).join('/');
}

/** All files that the command line names, as they are called where the job runs. */
function placePaths(run: ScheduleOptions['run'], path: Placement['path'], cwd: string) {
  // `web1,web2,` names hosts.
  const isHostList = (source: string) => source.includes(',') && !existsSync(resolve(cwd, source));
  return {
    runbook: path(run.runbook),
    ...(run.project !== undefined && { project: path(run.project) }),
    ...(run.waivers !== undefined && { waivers: path(run.waivers) }),
    ...(run.inventory && { inventory: run.inventory.map((source) => (isHostList(source) ? source : path(source))) }),
  };
}

/** Reports of the target first; what was asked for takes the place of one for stdout. */
async function placeOutputs(
  asked: readonly string[],
  target: ScheduleTarget,
  place: Placement,
  cwd: string,
): Promise<readonly string[]> {
  const placed: string[] = [];
  for (const output of asked) {
    const [, format = output, file] = /^([^=]+)=(.+)$/s.exec(output) ?? [];
    if (file === undefined || file === '-') placed.push(format);
    else {
      if (target.place === 'machine') await checkOutputPath(file, cwd);
      placed.push(`${format}=${place.path(file)}`);
    }
  }
  const ownStdout = placed.some((output) => !output.includes('='));
  const outputs = [...target.outputs.filter((output) => output.includes('=') || !ownStdout), ...placed];
  parseOutputs(outputs);
  return outputs;
}

/** Steps on this machine itself see what a sandbox around opsctl shows. */
function measuresItself(plan: Plan, { transport }: RunOptions): boolean {
  return plan.hosts.some(({ connect, body }) => (transport ?? connect.transport) === 'local' && worksOnHost(body));
}

function worksOnHost(body: readonly Segment[]): boolean {
  return body.some((segment) =>
    segment.type === 'round'
      ? segment.carrier !== 'controller'
      : [segment.body, segment.rescue, segment.always].some(worksOnHost),
  );
}

function environmentSecrets({ plan, runbook }: Prepared): readonly string[] {
  return [...wantedSecrets(plan, runbook).keys()]
    .flatMap((reference) => /^env:([A-Za-z_]\w*)$/.exec(reference)?.[1] ?? [])
    .sort();
}

/** Folders of reports, of the project's own state, and of the file that new host keys go to. */
function writtenFolders(
  { project }: Prepared,
  run: RunOptions,
  outputs: readonly string[],
  { user }: CommandContext,
): readonly string[] {
  const reports = (run.outputs === undefined ? project.outputs : outputs).flatMap(
    (output) => /=(.+)$/s.exec(output)?.[1] ?? [],
  );
  const hostKeys = project.knownHosts[0] ?? join(user.home ?? '/root', '.ssh/known_hosts');
  const files = [...reports, ...(run.trust === 'accept-new' ? [hostKeys] : [])];
  return [...new Set([...files.map((file) => dirname(file)), ...(project.state === undefined ? [] : [project.state])])];
}
