import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

/** One file system, as statfs and mountinfo tell it. Sizes in bytes. */
export interface Mount {
  readonly path: string;
  readonly type: string;
  readonly device: string;
  /** The mount, or what lies below it, takes no writes. */
  readonly readOnly: boolean;
  /** The kernel took the write access away after an error: the mount still says rw. */
  readonly forcedReadOnly: boolean;
  readonly size: number;
  readonly used: number;
  /** What a user who is not root can still write. */
  readonly available: number;
  /** used / (used + available); reserved blocks count as neither. 0 when there are no blocks. */
  readonly usedRatio: number;
  readonly inodes: number;
  readonly inodesFree: number;
  /** Part of the inodes in use; null when the file system has no fixed number of them. */
  readonly inodesUsedRatio: number | null;
  /** Who keeps deleted files open on it, most first. Looked for where space is short, and only root finds all. */
  readonly held?: readonly Holder[];
}

/** A process that keeps deleted files open. */
export interface Holder {
  readonly pid: number;
  readonly program: string;
  readonly files: number;
  readonly bytes: number;
}

export interface DiskData {
  readonly mounts: readonly Mount[];
  /** Mounts that could not be measured. */
  readonly unknown: readonly {
    readonly path: string;
    readonly reason: 'timeout' | 'unreadable';
    readonly detail: string;
  }[];
}

interface Described {
  readonly device: string;
  readonly type: string;
  readonly options: string;
  readonly superOptions: string;
}

export function readMounts(output: ProbeOutput, path: string | undefined): DiskData {
  const described = new Map<string, Described>();
  const numbers = new Map<string, readonly number[]>();
  const hung = new Set<string>();
  const opened: OpenFile[] = [];
  const programs = new Map<number, string>();
  for (const line of text(output.stdout).split('\n').filter(Boolean)) {
    const mount = /^mount (\S+) (\S+) (\S+) (\S+) (.+)$/.exec(line);
    const stat = /^stat (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (.+)$/.exec(line);
    const dead = /^hung (.+)$/.exec(line);
    const file = /^file (\d+) (\d+) (\d+) (\d+) (\d+) (\/.*)$/.exec(line);
    const program = /^program (\d+) ([^\n]*)$/.exec(line);
    if (mount) {
      const [, device = '', type = '', options = '', superOptions = '', point = ''] = mount;
      described.set(unescapeName(point), { device, type, options, superOptions });
    } else if (stat) numbers.set(unescapeName(stat[7] ?? ''), stat.slice(1, 7).map(Number));
    else if (dead) hung.add(unescapeName(dead[1] ?? ''));
    else if (file) {
      const [device = 0, inode = 0, links = 0, blocks = 0, blockSize = 0] = file.slice(1, 6).map(Number);
      opened.push({ key: `${device} ${inode}`, device, links, bytes: blocks * blockSize, name: file[6] ?? '' });
    } else if (program) programs.set(Number(program[1]), (program[2] ?? '').replace(/[^ -~]/g, '?'));
    else throw new UnreadableOutput(`not a line of the probe: ${line.slice(0, 200)}`);
  }
  if (path !== undefined) {
    const [about] = described.values();
    const [stat] = numbers.values();
    if (!about || !stat) throw new UnreadableOutput(`nothing was said about ${path}: ${complaint(output, path)}`);
    const [point] = described.keys();
    return { mounts: [{ ...mountOf(path, about, stat), ...heldOn(point ?? '', opened, programs) }], unknown: [] };
  }
  const all = [...described].map(([point, about]) => ({ point, about, stat: numbers.get(point) }));
  return {
    mounts: all.flatMap(({ point, about, stat }) =>
      stat ? [{ ...mountOf(point, about, stat), ...heldOn(point, opened, programs) }] : [],
    ),
    unknown: all
      .filter(({ stat }) => !stat)
      .map(({ point }) =>
        hung.has(point)
          ? { path: point, reason: 'timeout', detail: 'did not answer within 5 s' }
          : { path: point, reason: 'unreadable', detail: complaint(output, point) },
      ),
  };
}

function mountOf(path: string, about: Described, stat: readonly number[]): Mount {
  const [blocks = 0, free = 0, said = 0, blockSize = 0, inodes = 0, inodesFree = 0] = stat;
  const superReadOnly = about.superOptions.split(',').includes('ro');
  const mountReadOnly = about.options.split(',').includes('ro');
  const used = blocks - free;
  // Less than nothing comes as a huge number: space that only root may use is in use.
  const available = said > blocks ? 0 : said;
  return {
    path,
    type: about.type,
    device: about.device,
    readOnly: superReadOnly || mountReadOnly,
    forcedReadOnly: superReadOnly && !mountReadOnly,
    size: blocks * blockSize,
    used: used * blockSize,
    available: available * blockSize,
    usedRatio: used + available === 0 ? 0 : used / (used + available),
    inodes,
    inodesFree,
    inodesUsedRatio: inodes === 0 ? null : 1 - inodesFree / inodes,
  };
}

/** A mount point, or a deleted file under the name of a process's link to it. */
interface OpenFile {
  readonly key: string;
  readonly device: number;
  readonly links: number;
  readonly bytes: number;
  readonly name: string;
}

/** A file that several processes keep open counts for the first of them. */
function heldOn(
  point: string,
  opened: readonly OpenFile[],
  programs: ReadonlyMap<number, string>,
): { held?: readonly Holder[] } {
  const device = opened.find(({ name }) => name === point)?.device;
  const holders = new Map<number, Holder>();
  const seen = new Set<string>();
  for (const file of opened) {
    const pid = Number(/^\/proc\/(\d+)\/fd\/\d+$/.exec(file.name)?.[1]);
    // A link that was reopened meanwhile leads to a file that has a name.
    if (Number.isNaN(pid) || file.device !== device || file.links > 0 || file.bytes === 0 || seen.has(file.key))
      continue;
    seen.add(file.key);
    const { files, bytes } = holders.get(pid) ?? { files: 0, bytes: 0 };
    const program = programs.get(pid) || 'ended meanwhile';
    holders.set(pid, { pid, program, files: files + 1, bytes: bytes + file.bytes });
  }
  return holders.size === 0 ? {} : { held: [...holders.values()].toSorted((a, b) => b.bytes - a.bytes) };
}

/** mountinfo writes space, tab, newline and backslash as `\040`, `\011`, `\012`, `\134`. */
function unescapeName(name: string): string {
  return name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function complaint(output: ProbeOutput, path: string): string {
  const lines = text(output.stderr).trim().split('\n');
  return (lines.find((line) => line.includes(path)) ?? lines.at(-1) ?? '').slice(0, 200) || 'no answer';
}
