import { numberOf } from '../../lines.js';
import { UnreadableOutput } from '../../step.js';

export interface Pool {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Parts of 1. */
  readonly used: number;
  readonly fragmentation: number | null;
  /** `ONLINE`, `DEGRADED`, `FAULTED`, `SUSPENDED` … */
  readonly health: string;
  /** Seconds since it was made; null when ZFS does not tell. */
  readonly age: number | null;
  /** Null for a suspended pool, which may not answer. */
  readonly status: PoolStatus | null;
}

export interface PoolStatus {
  readonly scan: Scan | null;
  readonly devices: readonly Device[];
  /** What it says of its data, such as `No known data errors`; null for a pool that cannot be opened. */
  readonly errors: string | null;
}

export interface Scan {
  readonly kind: 'scrub' | 'resilver';
  readonly state: 'finished' | 'running' | 'canceled' | 'paused';
  /** Seconds since its end; null unless it came to one. */
  readonly age: number | null;
  /** Errors that it could not repair. */
  readonly errors: number;
}

export interface Device {
  readonly name: string;
  readonly state: string;
  /** Reads, writes and checksums that failed. */
  readonly errors: number;
}

/** Reads what the probe prints: `zpool list -Hp`, the times of making, `zpool status -p`. */
export function readPools(said: string): readonly Pool[] {
  const [head = '', pools, made, status, rest] = said.split(/^== (?:pools|made|status|end)$/m);
  if (pools === undefined || made === undefined || status === undefined || rest === undefined)
    throw new UnreadableOutput('the report of ZFS is cut off');
  const now = numberOf(/^now (\d+)$/m.exec(head)?.[1], 'the time of the host');
  const births = new Map(rows(made).map(([name = '', time]) => [name, Number(time)]));
  const statuses = readStatuses(status, now);
  return rows(pools).map(([name = '', size, , , fragmentation, capacity, health]) => {
    if (!health) throw new UnreadableOutput(`not a pool: ${name.slice(0, 200)}`);
    const found = statuses.get(name) ?? null;
    if (!found && health !== 'SUSPENDED') throw new UnreadableOutput(`the status of ${name} is missing`);
    const birth = births.get(name) ?? Number.NaN;
    return {
      name,
      health,
      // A pool that is faulted has no numbers, only dashes.
      size: size === '-' ? 0 : numberOf(size, `the size of ${name}`),
      used: capacity === '-' ? 0 : percent(capacity, `the capacity of ${name}`),
      fragmentation: fragmentation === '-' ? null : percent(fragmentation, `the fragmentation of ${name}`),
      age: Number.isNaN(birth) ? null : Math.max(0, now - birth),
      status: found,
    };
  });
}

function rows(said: string): readonly (readonly string[])[] {
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Older versions put a % behind it. */
function percent(said: string | undefined, name: string): number {
  return numberOf(said?.replace(/%$/, ''), name) / 100;
}

function readStatuses(said: string, now: number): ReadonlyMap<string, PoolStatus> {
  const blocks = said.split(/^ {2}pool: /m).slice(1);
  return new Map(
    blocks.map((block) => {
      const name = block.slice(0, block.indexOf('\n')).trim();
      const errors = /^errors: (.+)$/m.exec(block)?.[1] ?? null;
      const isClosed = /^ state: (?:UNAVAIL|FAULTED)$/m.test(block);
      const config = /^config:\n\n?([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(block)?.[1];
      if ((errors === null && !isClosed) || config === undefined)
        throw new UnreadableOutput(`the status of ${name.slice(0, 80)} is cut off`);
      const scan = /^ {1,2}scan: (.+)$/m.exec(block)?.[1];
      return [name, { scan: scan === undefined ? null : readScan(scan, now), devices: readDevices(config), errors }];
    }),
  );
}

function readScan(said: string, now: number): Scan | null {
  if (said === 'none requested') return null;
  const kind = said.startsWith('resilver') ? 'resilver' : 'scrub';
  if (/in progress/.test(said)) return { kind, state: 'running', age: null, errors: 0 };
  if (/paused/.test(said)) return { kind, state: 'paused', age: null, errors: 0 };
  if (/canceled/.test(said)) return { kind, state: 'canceled', age: null, errors: 0 };
  const match = / with (\d+) errors on (.+)$/.exec(said);
  const time = match ? Date.parse(`${match[2]} UTC`) / 1000 : Number.NaN;
  if (Number.isNaN(time)) throw new UnreadableOutput(`not the end of a scrub: ${said.slice(0, 200)}`);
  return { kind, state: 'finished', age: Math.max(0, now - time), errors: Number(match?.[1]) };
}

/** The devices at the ends of the tree: what is above them counts their errors again. */
function readDevices(config: string): readonly Device[] {
  const lines = config.split('\n').flatMap((line) => {
    const match = /^\t( *)(\S+) +([A-Z]+)(?: +(\d+) +(\d+) +(\d+))?/.exec(line);
    if (!match || match[2] === 'NAME') return [];
    const [, indent = '', name = '', state = '', ...counts] = match;
    const errors = counts.slice(0, 3).reduce((sum, count) => sum + Number(count ?? 0), 0);
    return [{ depth: indent.length, device: { name, state, errors } }];
  });
  return lines.filter(({ depth }, index) => (lines[index + 1]?.depth ?? 0) <= depth).map(({ device }) => device);
}
