import { numberOf } from '../../lines.js';
import { UnreadableOutput } from '../../step.js';

export interface Device {
  /** Path, or `devid:2` for one that is missing. */
  readonly device: string;
  readonly errors: readonly { readonly name: string; readonly count: number }[];
}

export interface FileSystem {
  /** First of its mount points. */
  readonly path: string;
  readonly devices: readonly Device[];
  /** Bytes, as all the below. */
  readonly size: number;
  readonly unallocated: number;
  readonly missing: number;
  /** Used part of the metadata there is plus all the space that could become metadata. At 1 nothing can be written. */
  readonly metadataUsed: number;
  /** Null when there never was one, or the host has forgotten it. */
  readonly scrub: {
    readonly status: string;
    /** Seconds since it started. */
    readonly age: number;
    readonly corrected: number;
    readonly uncorrectable: number;
  } | null;
}

/** Reads what the probe prints: blocks of the btrfs tool, a few for every mount. */
export function readFileSystems(said: string): readonly FileSystem[] {
  const [head = '', ...mounts] = said.split(/^== mount /m);
  if (!/^== end$/m.test(said)) throw new UnreadableOutput('the report of btrfs is cut off');
  if (mounts.length === 0) return [];
  const now = numberOf(/^now (\d+)$/m.exec(head)?.[1], 'the time of the host');
  return mounts.map((mount) => readFileSystem(mount, now));
}

function readFileSystem(said: string, now: number): FileSystem {
  const [first = '', usage, scrub] = said.split(/^== (?:usage|scrub|end)$/m);
  const [point = '', ...stats] = first.split('\n');
  if (point === '' || usage === undefined || scrub === undefined)
    throw new UnreadableOutput('the report of btrfs is cut off');
  const path = unescapeName(point);
  const devices = readDevices(stats);
  if (devices.length === 0) throw new UnreadableOutput(`the error counters of ${path} are missing`);
  const overall = (name: string) => numberOf(new RegExp(`^ *${name}:\\s+([\\d.]+)`, 'm').exec(usage)?.[1], name);
  // One line a profile: there are several while a balance converts one into another.
  const metadata = [...usage.matchAll(/^(?:Metadata|Data\+Metadata),(\w+): Size:(\d+), Used:(\d+)/gm)];
  if (metadata.length === 0) throw new UnreadableOutput(`the metadata of ${path} are missing`);
  const sum = (group: 2 | 3) => metadata.reduce((total, match) => total + Number(match[group]), 0);
  const unallocated = overall('Device unallocated');
  const free = freeByDevice(usage);
  const growth = metadata.map(
    ([, profile = '']) => roomFor(profile, free) ?? unallocated / Math.max(1, overall('Metadata ratio')),
  );
  const possible = sum(2) + Math.min(...growth);
  return {
    path,
    devices,
    size: overall('Device size'),
    unallocated,
    missing: overall('Device missing'),
    metadataUsed: possible > 0 ? sum(3) / possible : 1,
    scrub: readScrub(scrub, now),
  };
}

/** Unallocated bytes of each device that is there. */
function freeByDevice(usage: string): readonly number[] {
  const [, lines = ''] = /^Unallocated:\n((?: +\S.*\n?)*)/m.exec(usage) ?? [];
  return [...lines.matchAll(/^ +(?!missing\s)\S.*\s(\d+)$/gm)].map(([, bytes]) => Number(bytes));
}

const copies: Readonly<Record<string, number>> = { RAID1: 2, RAID10: 2, RAID1C3: 3, RAID1C4: 4 };

/**
 * What can still be put there with every copy on a device of its own: space that the largest device alone has left is
 * of no use to RAID 1. Null for profiles without copies.
 */
function roomFor(profile: string, free: readonly number[]): number | null {
  const count = copies[profile];
  if (count === undefined || free.length === 0) return null;
  const sorted = free.toSorted((a, b) => b - a);
  const bounds = Array.from(
    { length: count },
    (_, largest) => sorted.slice(largest).reduce((total, bytes) => total + bytes, 0) / (count - largest),
  );
  return Math.min(...bounds);
}

function readDevices(lines: readonly string[]): readonly Device[] {
  const devices = new Map<string, { name: string; count: number }[]>();
  for (const line of lines) {
    const match = /^\[(.+)\]\.(\w+?)(?:_errs)?\s+(\d+)$/.exec(line);
    if (!match) continue;
    const [, device = '', name = '', count] = match;
    devices.set(device, [...(devices.get(device) ?? []), { name: name.replace('_io', ''), count: Number(count) }]);
  }
  return [...devices].map(([device, errors]) => ({ device, errors }));
}

/** The tool prints only zeros, and no start, where there is nothing to tell. */
function readScrub(said: string, now: number): FileSystem['scrub'] {
  const value = (name: string) => new RegExp(`^\\s*${name}:\\s+(.+)$`, 'm').exec(said)?.[1]?.trim();
  const started = value('Scrub (?:started|resumed)');
  const status = value('Status');
  if (started === undefined || status === undefined) return null;
  const time = Date.parse(`${started} UTC`) / 1000;
  if (Number.isNaN(time)) throw new UnreadableOutput(`not a time: ${started.slice(0, 80)}`);
  return {
    status,
    age: Math.max(0, now - time),
    corrected: numberOf(value('corrected_errors'), 'corrected_errors'),
    uncorrectable: numberOf(value('uncorrectable_errors'), 'uncorrectable_errors'),
  };
}

function unescapeName(name: string): string {
  return name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
