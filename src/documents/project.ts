import { lstat, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.js';
import type { LoadedDocument } from './document.js';
import { loadDocument } from './load.js';
import { type KeepRuns, type ProjectFile, projectSchema } from './project.schema.js';

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
  readonly keepRuns?: KeepRuns;
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
  const { inventory, known_hosts, state, waivers, outputs, 'keep-runs': keepRuns } = document.value;
  const absolute = (path: string) =>
    resolve(root, path.startsWith('~/') && options.home ? join(options.home, path.slice(2)) : path);
  return {
    root,
    document,
    inventory: list(inventory).map(absolute),
    knownHosts: list(known_hosts).map(absolute),
    outputs: (outputs ?? []).map((output) => output.replace(/=(.+)$/, (_, path: string) => `=${absolute(path)}`)),
    ...(state !== undefined && { state: absolute(state) }),
    ...(keepRuns && { keepRuns }),
    ...(waivers !== undefined && { waivers: absolute(waivers) }),
  };
}

async function findProject(start: string): Promise<string | undefined> {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (await lstat(join(folder, projectFileName)).catch(() => undefined)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Where every user may put a file, only one of the user's own counts. */
async function refuseUnsafe(root: string, file: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return;
  const folder = await stat(root);
  const own = folder.uid === uid && (await lstat(join(root, projectFileName))).uid === uid;
  if ((folder.mode & 0o002) === 0 || own) return;
  throw new UserError({
    code: 'E_DIR_UNSAFE',
    what: `every user may write to the folder ${root}, so this file may be somebody else's`,
    hint: `run \`chmod o-w ${root}\`, or accept it with \`--project ${root}\``,
    place: { file },
  });
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function shortName(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith(`..${sep}..${sep}`) ? path : name;
}
