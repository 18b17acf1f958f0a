import { lstat, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type Place, UserError } from '../errors.js';
import type { LoadedDocument } from './document.js';
import { loadDocument } from './load.js';
import { type ProjectFile, projectSchema } from './project.schema.js';

export const projectFileName = 'opsctl.yaml';

export interface Project {
  /** The project folder: where opsctl.yaml is, else the working folder. Included runbooks stay inside it. */
  readonly root: string;
  /** Absent when there is no opsctl.yaml. */
  readonly document?: LoadedDocument<ProjectFile>;
  /** Absolute paths, ready to use. */
  readonly inventory: readonly string[];
  readonly knownHosts: readonly string[];
  readonly state?: string;
  readonly waivers?: string;
  readonly outputs: readonly string[];
}

export interface ProjectOptions {
  readonly cwd: string;
  /** `--project DIR`: the folder, also when others may write to it. */
  readonly explicit?: string;
  /** Of the user who runs opsctl; undefined where there are no user ids. */
  readonly uid?: number;
  /** For `~/`. */
  readonly home?: string;
}

/**
 * The project that `cwd` is in: the nearest folder upward with an opsctl.yaml. A file that somebody else could have
 * put there is refused, because it names inventories and known_hosts files.
 */
export async function loadProject(options: ProjectOptions): Promise<Project> {
  const { cwd, explicit } = options;
  const root = explicit === undefined ? await findProject(cwd) : resolve(cwd, explicit);
  if (root === undefined) return { root: cwd, inventory: [], knownHosts: [], outputs: [] };
  const file = shortName(join(root, projectFileName), cwd);
  if (explicit === undefined) await refuseUnsafe(root, file, options.uid);
  const document = await loadDocument<ProjectFile>(file, {
    cwd,
    subject: 'a project file',
    schema: projectSchema,
    validator: 'project',
  });
  const { inventory, known_hosts, state, waivers, outputs } = document.value;
  const absolute = (path: string) =>
    resolve(root, path.startsWith('~/') && options.home ? join(options.home, path.slice(2)) : path);
  return {
    root,
    document,
    inventory: list(inventory).map(absolute),
    knownHosts: list(known_hosts).map(absolute),
    outputs: (outputs ?? []).map((output) => output.replace(/=(.+)$/, (_, path: string) => `=${absolute(path)}`)),
    ...(state !== undefined && { state: absolute(state) }),
    ...(waivers !== undefined && { waivers: absolute(waivers) }),
  };
}

async function findProject(start: string): Promise<string | undefined> {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (await lstat(join(folder, projectFileName)).catch(() => undefined)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Only the user and root may be able to put the file there or change it. */
async function refuseUnsafe(root: string, file: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return;
  const place: Place = { file };
  const hint = 'run `chmod o-w` on it, or accept it with `--project DIR`';
  const trusted = (owner: number) => owner === uid || owner === 0;
  const folder = await stat(root);
  if ((folder.mode & 0o002) !== 0) {
    throw new UserError({
      code: 'E_DIR_UNSAFE',
      what: `the folder ${root} can be written to by every user`,
      hint,
      place,
    });
  }
  if (!trusted(folder.uid)) {
    throw new UserError({
      code: 'E_DIR_UNSAFE',
      what: `the folder ${root} belongs to another user`,
      hint: 'accept it with `--project DIR`',
      place,
    });
  }
  const stats = await stat(join(root, projectFileName)).catch(() => undefined);
  if (stats && ((stats.mode & 0o002) !== 0 || !trusted(stats.uid))) {
    const what = (stats.mode & 0o002) !== 0 ? 'can be changed by every user' : 'belongs to another user';
    throw new UserError({ code: 'E_DIR_UNSAFE', what: `the file ${what}`, hint, place });
  }
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function shortName(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith(`..${sep}..${sep}`) ? path : name;
}
