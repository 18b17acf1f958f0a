import { randomBytes } from 'node:crypto';
import { join, relative, resolve, sep } from 'node:path';
import type { CommandContext } from '../commands/command.js';
import { parseDuration } from '../documents/duration.js';
import { loadProject, type Project } from '../documents/project.js';
import { type LoadedRunbook, loadRunbook } from '../documents/runbook.js';
import { resolveParams } from '../documents/runbook-params.js';
import type { Host, Inventory } from '../inventory/inventory.js';
import { loadInventory } from '../inventory/load.js';
import { selectHosts } from '../inventory/patterns.js';
import { stateFolder } from '../journal/state.js';
import { buildPlan } from '../plan/build.js';
import { compileRunbook } from '../plan/compile.js';
import type { Plan } from '../plan/plan.js';
import type { WaiverRule } from '../result/waivers.js';
import { readHardAfter } from './hard-after.js';
import type { RunOptions, ScopeOptions } from './options.js';
import { refuseSecretLiterals } from './refuse-literals.js';

/** What was asked for, checked and planned. Nothing has been contacted. */
export interface Prepared {
  readonly project: Project;
  readonly runbook: LoadedRunbook;
  readonly inventory: Inventory;
  readonly plan: Plan;
  readonly waivers: readonly WaiverRule[];
  /** In how many runs in a row a step must be bad to count, by its key; 1 for those that are not here. */
  readonly hardAfter: ReadonlyMap<string, number>;
  readonly runId: string;
}

export interface ScopeLoaded {
  readonly project: Project;
  readonly inventory: Inventory;
}

/** Documents → plan. Throws a UserError with everything that is wrong, before any contact. */
export async function prepare(options: RunOptions, context: CommandContext): Promise<Prepared> {
  const { project, inventory } = await loadScope(options, context);
  const { runbook: source } = options;
  const inProject = { cwd: context.cwd, ...(project.document && { projectRoot: project.root }) };
  const runbook =
    typeof source === 'string'
      ? await loadRunbook(source, inProject)
      : await loadRunbook(source.name, { ...inProject, text: source.text });
  refuseSecretLiterals(runbook);
  const params = resolveParams(runbook.value, options.params ?? {});
  const hosts = await chooseHosts(options, runbook, inventory, project, context);
  const compiled = await compileRunbook(runbook, { params, vars: variableNames(hosts) });
  const runId = options.resume?.id ?? newRunId(new Date());
  const timeout = options.timeout ?? runbook.value.timeout;
  const plan = await buildPlan({
    runbook: { name: runbook.value.name, file: runbook.file, sha256: runbook.sha256 },
    compiled,
    hosts,
    mode: options.mode,
    runId,
    params,
    ...(options.tags && { tags: options.tags }),
    ...(options.skipTags && { skipTags: options.skipTags }),
    ...(timeout !== undefined && { timeout: parseDuration(timeout) }),
    matches: patternMatcher(inventory),
  });
  const waivers = await waiversOf(options, project, inventory, context);
  return { project, runbook, inventory, plan, waivers, hardAfter: readHardAfter(runbook, plan), runId };
}

async function waiversOf(
  { waivers: file, inventory: own }: RunOptions,
  project: Project,
  inventory: Inventory,
  { cwd }: CommandContext,
): Promise<readonly WaiverRule[]> {
  if (file === undefined && project.waivers === undefined) return [];
  const { readWaivers } = await import('./waivers.js');
  return readWaivers({ file, otherHosts: own !== undefined }, project, inventory, cwd);
}

/** The project and its inventory, for every command that names hosts. */
export async function loadScope(options: ScopeOptions, context: CommandContext): Promise<ScopeLoaded> {
  const { uid, home } = context.user;
  const project = await loadProject({
    cwd: context.cwd,
    ...(options.project !== undefined && { explicit: options.project }),
    ...(uid !== undefined && { uid }),
    ...(home !== undefined && { home }),
  });
  const sources = options.inventory ?? project.inventory;
  const inventory = await loadInventory(sources, { cwd: context.cwd, env: context.env, signal: context.signal });
  return { project, inventory };
}

async function chooseHosts(
  options: RunOptions,
  runbook: LoadedRunbook,
  inventory: Inventory,
  project: Project,
  context: CommandContext,
): Promise<readonly Host[]> {
  const pattern = runbook.value.hosts ?? 'all';
  const hosts = selectHosts(inventory, pattern, { place: runbook.place(['hosts']) });
  if (options.limit === undefined) return hosts;
  const lastFailed = options.limit.includes('@failed') ? await failedHosts(options, runbook, project, context) : [];
  const limited = selectHosts(inventory, options.limit, { lastFailed: () => lastFailed });
  const allowed = new Set(hosts);
  const both = limited.filter((host) => allowed.has(host));
  // Named on the command line, and not among the runbook's hosts: an empty run must not look green.
  if (both.length === 0) return selectHosts(inventory, `${pattern},&${options.limit}`);
  return both;
}

async function failedHosts(
  { runbook }: RunOptions,
  { value: { name } }: LoadedRunbook,
  project: Project,
  context: CommandContext,
): Promise<readonly string[]> {
  const { lastFailedHosts } = await import('../journal/last-failed.js');
  return lastFailedHosts(stateOf(project, context), name, pathOfRunbook(runbook, project, context.cwd));
}

/**
 * What a runbook file is known by from run to run: its path, or its place in a project that keeps its state in itself, so
 * that a checkout elsewhere has the same past.
 */
export function pathOfRunbook(
  runbook: RunOptions['runbook'],
  { root, state }: Project,
  cwd: string,
): string | undefined {
  if (typeof runbook !== 'string') return undefined;
  const path = resolve(cwd, runbook);
  return state?.startsWith(join(root, sep)) ? relative(root, path) : path;
}

/** The state folder of a project: journals, results, artefacts. */
export function stateOf(project: Project, context: CommandContext): string {
  return project.state ?? stateFolder(context.env);
}

function variableNames(hosts: readonly Host[]): ReadonlySet<string> {
  return new Set(hosts.flatMap((host) => Object.keys(host.vars)));
}

function patternMatcher(inventory: Inventory): (pattern: string, host: Host) => boolean {
  const known = new Map<string, ReadonlySet<Host>>();
  return (pattern, host) => {
    let hosts = known.get(pattern);
    if (!hosts) {
      hosts = new Set(selectHosts(inventory, pattern));
      known.set(pattern, hosts);
    }
    return hosts.has(host);
  };
}

/** Sorts by time and is unique: `20261123T110542Z-4f9a1c`. */
function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return `${stamp}-${randomBytes(3).toString('hex')}`;
}
