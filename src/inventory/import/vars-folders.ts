import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { parseAnsibleYaml } from '../../documents/ansible-yaml.js';
import { decode } from '../../documents/decode.js';
import { readRegularFile } from '../../documents/read.js';
import { UserError } from '../../errors.js';
import { isMap } from '../connect.js';
import { addGroup, type Draft, type Layer } from '../draft.js';
import { vaultProblem } from './ansible-values.js';
import { ansibleLayer } from './ansible-yaml.js';

/** A folder that holds inventories, and may hold `group_vars/` and `host_vars/`. */
export interface VarsFolder {
  readonly name: string;
  readonly path: string;
}

/** Adds the variables that stand beside Ansible inventories. Only files of known groups and hosts are read. */
export async function readVarsFolders(folders: readonly VarsFolder[], draft: Draft): Promise<void> {
  for (const [rank, folder] of folders.entries()) {
    const groups = await entriesOf(folder, 'group_vars');
    if (groups) {
      const place = () => ({ file: join(folder.name, 'group_vars') });
      for (const name of new Set(['all', 'ungrouped', ...draft.groups.keys()])) {
        for (const layer of await layersFor(name, groups, draft))
          addGroup(draft, name, place)?.files.push([rank, layer]);
      }
    }
    const hosts = await entriesOf(folder, 'host_vars');
    if (!hosts) continue;
    for (const host of draft.hosts.values()) host.files.push(...(await layersFor(host.name, hosts, draft)));
  }
}

interface Entries {
  readonly folder: VarsFolder;
  readonly names: ReadonlySet<string>;
}

async function entriesOf(parent: VarsFolder, kind: string): Promise<Entries | undefined> {
  const folder = { name: join(parent.name, kind), path: join(parent.path, kind) };
  const names = await readdir(folder.path).catch(() => undefined);
  return names && names.length > 0 ? { folder, names: new Set(names) } : undefined;
}

const extensions = ['', '.yml', '.yaml', '.json'];

async function layersFor(name: string, { folder, names }: Entries, draft: Draft): Promise<Layer[]> {
  const found = extensions.map((extension) => name + extension).find((file) => names.has(file));
  if (found === undefined) return [];
  const [fileName, path] = [join(folder.name, found), join(folder.path, found)];
  const files = (await stat(path)).isDirectory()
    ? await filesBelow({ name: fileName, path })
    : [{ name: fileName, path }];
  const layers: Layer[] = [];
  for (const file of files) {
    const layer = await layerOf(file, draft).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      draft.problems.push(...error.problems);
      return undefined;
    });
    if (layer) layers.push(layer);
  }
  return layers;
}

async function filesBelow(folder: VarsFolder): Promise<VarsFolder[]> {
  const entries = (await readdir(folder.path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: VarsFolder[] = [];
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.') || name.endsWith('~')) continue;
    const child = { name: join(folder.name, name), path: join(folder.path, name) };
    const extension = extname(name);
    if (await isFolder(entry, child.path)) {
      if (extension === '') files.push(...(await filesBelow(child)));
    } else if (extensions.includes(extension)) files.push(child);
  }
  return files;
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  return entry.isSymbolicLink() ? (await stat(path)).isDirectory() : entry.isDirectory();
}

async function layerOf({ name, path }: VarsFolder, draft: Draft): Promise<Layer | undefined> {
  const text = decode(await readRegularFile(path, name), name);
  draft.files.push(name);
  if (text.startsWith('$ANSIBLE_VAULT;')) throw new UserError(vaultProblem('', { file: name, line: 1, column: 1 }));
  const document = parseAnsibleYaml(text, name);
  draft.problems.push(...document.problems);
  for (const warning of document.warnings) draft.warnings.add(warning);
  if (document.value === undefined) return undefined;
  if (!isMap(document.value)) {
    const hint = 'write NAME: VALUE lines';
    throw new UserError({ code: 'E_TYPE', what: 'a variables file is a map', hint, place: document.place([]) });
  }
  return ansibleLayer(document.value, (variable) => document.place([variable]), draft);
}
