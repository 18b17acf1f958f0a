import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readRegularFile } from '../documents/read.js';
import { type Problem, UserError } from '../errors.js';
import { type Draft, newDraft } from './draft.js';
import { findDuplicates } from './duplicates.js';
import { sourceKinds } from './import/index.js';
import type { InventoryContext, SourceFile } from './import/source-kind.js';
import type { Inventory } from './inventory.js';
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
  for (const source of sources) await collect(() => loadSource(source, draft, context), draft);
  const inventory = resolveInventory(draft);
  draft.problems.push(...findDuplicates(draft));
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

async function loadSource(source: string, draft: Draft, context: InventoryContext): Promise<void> {
  const path = resolve(context.cwd, source);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined && source.includes(',')) {
    const { readHostList } = await import('./import/host-list.js');
    readHostList(source, draft);
  } else if (stats?.isDirectory()) await loadFolder(source, path, draft, context);
  else await loadFile(source, path, draft, context);
}

/** Names that Ansible passes over in an inventory folder. */
const passedOver =
  /^\.|^host_vars$|^group_vars$|^vars_plugins$|(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/;

async function loadFolder(name: string, path: string, draft: Draft, context: InventoryContext): Promise<void> {
  const entries = (await readdir(path)).filter((entry) => !passedOver.test(entry)).sort();
  for (const entry of entries) {
    const [entryName, entryPath] = [join(name, entry), join(path, entry)];
    const stats = await stat(entryPath).catch(() => undefined);
    const load = () =>
      stats?.isDirectory()
        ? loadFolder(entryName, entryPath, draft, context)
        : loadFile(entryName, entryPath, draft, context);
    await collect(load, draft);
  }
}

async function loadFile(name: string, path: string, draft: Draft, context: InventoryContext): Promise<void> {
  const bytes = await readRegularFile(path, name);
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  const file: SourceFile = { name, path, bytes, executable };
  draft.files.push(name);
  for (const kind of sourceKinds) {
    if (!(await kind.reads(file))) continue;
    await kind.load(file, draft, context);
    return;
  }
}

function inReadingOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = ({ place }: Problem) => (place ? files.indexOf(place.file) : -1);
  const at = ({ place }: Problem) => (place?.line ?? 0) * 100_000 + (place?.column ?? 0);
  return [...problems].sort((a, b) => rank(a) - rank(b) || at(a) - at(b));
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
