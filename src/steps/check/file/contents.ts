import { expectSuccess, numberOf } from '../../lines.js';
import { foundPattern, missingPattern, type Patterns } from '../../patterns.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

export type FileType = 'file' | 'directory' | 'symlink' | 'socket' | 'pipe' | 'block-device' | 'char-device';

export interface FileData {
  readonly present: boolean;
  /** A symbolic link that leads nowhere. */
  readonly dangling: boolean;
  readonly type: FileType | null;
  /** Four octal digits. */
  readonly mode: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** Name, or the number as text where there is no name. */
  readonly owner: string | null;
  readonly group: string | null;
  readonly size: number | null;
  /** Seconds since the last change, by the clock of the host. */
  readonly age: number | null;
  readonly sha256: string | null;
  /** Whether there was text to look at; null when nobody asked. */
  readonly readable: boolean | null;
  /** The first pattern of `contains` that does not occur. */
  readonly missing: string | null;
  /** The first pattern of `lacks` that occurs. */
  readonly found: string | null;
  /** There is more than the first MB. */
  readonly truncated: boolean;
}

const types: Readonly<Record<number, FileType>> = {
  4096: 'pipe',
  8192: 'char-device',
  16384: 'directory',
  24576: 'block-device',
  32768: 'file',
  40960: 'symlink',
  49152: 'socket',
};

const limit = 1_000_000;

export function readFileOutput(
  output: ProbeOutput,
  { contains, lacks }: { readonly contains?: Patterns; readonly lacks?: Patterns },
): FileData {
  expectSuccess(output);
  const mark = '\ncontents\t\n';
  const at = output.stdout.indexOf(mark);
  const head = text(at < 0 ? output.stdout : output.stdout.subarray(0, at));
  const values = new Map(
    head
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)] as const),
  );
  const absent = values.get('absent');
  if (absent !== undefined) return { ...nothing, dangling: absent === 'dangling' };
  const [mode, uid, gid, size, changed, owner = '', ...group] = (values.get('stat') ?? '').split(' ');
  const bits = numberOf(mode && `0x${mode}`, 'mode');
  const bytes = numberOf(size, 'size');
  const now = values.get('now');
  const body = at < 0 ? undefined : output.stdout.subarray(at + mark.length);
  // A file below /proc has size 0 and contents.
  if (body && body.length < Math.min(bytes, limit))
    throw new UnreadableOutput(`${body.length} of ${bytes} bytes arrived`);
  const contents = body ? text(body.subarray(0, limit)) : '';
  return {
    present: true,
    dangling: false,
    type: types[bits & 0xf000] ?? null,
    mode: (bits & 0o7777).toString(8).padStart(4, '0'),
    uid: numberOf(uid, 'uid'),
    gid: numberOf(gid, 'gid'),
    owner: named(owner, uid),
    group: named(group.join(' '), gid),
    size: bytes,
    age: now === undefined ? null : numberOf(now, 'now') - numberOf(changed, 'time of change'),
    sha256: values.get('sha256') ?? null,
    readable: contains === undefined && lacks === undefined ? null : body !== undefined,
    missing: missingPattern(contains, contents) ?? null,
    found: foundPattern(lacks, contents) ?? null,
    truncated: body !== undefined && body.length > limit,
  };
}

const nothing = {
  present: false,
  type: null,
  mode: null,
  uid: null,
  gid: null,
  owner: null,
  group: null,
  size: null,
  age: null,
  sha256: null,
  readable: null,
  missing: null,
  found: null,
  truncated: false,
} as const;

/** stat prints UNKNOWN for an id that has no name. */
function named(name: string, id: string | undefined): string {
  return name === '' || name === 'UNKNOWN' ? (id ?? '') : name;
}
