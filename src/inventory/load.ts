import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readRegularFile } from '../documents/read.js';
import { type Problem, problemLine, UserError } from '../errors.js';
import { type Draft, newDraft } from './draft.js';
import { findDuplicates } from './duplicates.js';
import { sourceKinds } from './import/index.js';
import { opsctlSource } from './import/opsctl.js';
import type { InventoryContext, SourceFile, SourceKind } from './import/source-kind.js';
import type { VarsFolder } from './import/vars-folders.js';
import type { Inventory } from './inventory.js';
import { refuseParents } from './parents.js';
import { resolveInventory } from './resolve.js';

export type { InventoryContext } from './import/source-kind.js';

/**
 * Reads inventories and joins them; later ones outrank earlier ones. A source is a file, a folder (all files in it)
 * or a list of hosts with commas. No source at all is this machine: the one host `local`.
 * @throws UserError with all problems of all sources
 */
export async function loadInventory(sources: readonly string[], context: InventoryContext): Promise<Inventory> {
  if (sources.length === 0) return localInventory();
  const draft = newDraft();
  const varsFolders: VarsFolder[] = [];
  for (const source of sources) {
    await collect(async () => {
      const folder = await loadSource(source, draft, context);
      if (folder) varsFolders.push(folder);
    }, draft);
  }
  await addVarsFolders(varsFolders, draft);
  const fillIn = draft.templates ? await (await import('./fill-in.js')).loadFillIn() : undefined;
  const inventory = resolveInventory(draft, fillIn);
  if (fillIn) for (const host of inventory.hosts.values()) collectSync(() => host.vars, draft);
  draft.problems.push(...draft.checks.flatMap((check) => check() ?? []), ...findDuplicates(draft));
  if (draft.problems.length === 0) draft.problems.push(...refuseParents(draft, inventory));
  if (draft.problems.length > 0) throw new UserError(inReadingOrder(draft.problems, draft.files));
  if (inventory.hosts.size === 0) throw noHosts(sources);
  return inventory;
}

function localInventory(): Inventory {
  const draft = newDraft();
  const place = () => ({ file: 'built in' });
  const layer = { vars: {}, connect: { transport: 'local' } as const, place };
  draft.hosts.set('local', { name: 'local', place, layers: [layer], files: [] });
  return resolveInventory(draft);
}

/** A source that cannot be read does not hide what is wrong with the others. */
async function collect(load: () => Promise<void>, draft: Draft): Promise<void> {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    draft.problems.push(...error.problems);
  }
}

function collectSync(work: () => unknown, draft: Draft): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    draft.problems.push(...error.problems);
  }
}

/** Gives the folder whose group_vars/ and host_vars/ belong to the source, if they do. */
async function loadSource(source: string, draft: Draft, context: InventoryContext): Promise<VarsFolder | undefined> {
  const path = resolve(context.cwd, source);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined && source.includes(',')) {
    const { readHostList } = await import('./import/host-list.js');
    readHostList(source, draft);
    return undefined;
  }
  if (stats?.isDirectory())
    return (await loadFolder(source, path, draft, context)) ? { name: source, path } : undefined;
  return (await loadFile(source, path, draft, context)) ? { name: dirname(source), path: dirname(path) } : undefined;
}

/** A folder that two sources share counts where it comes last. */
async function addVarsFolders(folders: readonly VarsFolder[], draft: Draft): Promise<void> {
  const last = folders.filter(({ path }, at) => !folders.slice(at + 1).some((other) => other.path === path));
  if (last.length === 0) return;
  const { readVarsFolders } = await import('./import/vars-folders.js');
  await readVarsFolders(last, draft);
}

/** Names that Ansible passes over in an inventory folder. */
const passedOver =
  /^\.|^host_vars$|^group_vars$|^vars_plugins$|(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/;

async function loadFolder(name: string, path: string, draft: Draft, context: InventoryContext): Promise<boolean> {
  let usesVars = false;
  const entries = (await readdir(path)).filter((entry) => !passedOver.test(entry)).sort();
  for (const entry of entries) {
    const [entryName, entryPath] = [join(name, entry), join(path, entry)];
    const stats = await stat(entryPath).catch(() => undefined);
    await collect(async () => {
      const load = stats?.isDirectory() ? loadFolder : loadFile;
      if (await load(entryName, entryPath, draft, context)) usesVars = true;
    }, draft);
  }
  return usesVars;
}

async function loadFile(name: string, path: string, draft: Draft, context: InventoryContext): Promise<boolean> {
  const bytes = await readRegularFile(path, name);
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  const file: SourceFile = { name, path, bytes, executable };
  draft.files.push(name);
  const kind = await kindOf(file);
  await kind.load(file, draft, context);
  return kind.varsFolders;
}

async function kindOf(file: SourceFile): Promise<SourceKind> {
  for (const kind of sourceKinds) if (await kind.reads(file)) return kind;
  return opsctlSource;
}

function inReadingOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = ({ place }: Problem) => (place ? files.indexOf(place.file) : -1);
  const at = ({ place }: Problem) => (place?.line ?? 0) * 100_000 + (place?.column ?? 0);
  const secretLines = new Set(problems.filter(({ code }) => code === 'E_SECRET_LITERAL').map(lineOf));
  // A range shares its line, so the same problem may come several times.
  const unique = new Map(problems.map((problem) => [problemLine(problem), problem]));
  const shown = [...unique.values()].map((problem) =>
    secretLines.has(lineOf(problem)) ? withoutSource(problem) : problem,
  );
  return shown.sort((a, b) => rank(a) - rank(b) || at(a) - at(b));
}

function lineOf({ place }: Problem): string {
  return `${place?.file}:${place?.line}`;
}

/** The line holds a password, so it is not shown, whatever else is wrong in it. */
function withoutSource(problem: Problem): Problem {
  if (!problem.place) return problem;
  const { source: _, length: __, ...place } = problem.place;
  return { ...problem, place };
}

function noHosts(sources: readonly string[]): UserError {
  const hint = 'add hosts, or name another inventory with `-i`';
  return new UserError({
    code: 'E_NO_HOSTS',
    what: 'the inventory has no hosts',
    hint,
    place: { file: sources.join(' ') },
  });
}
