import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { type ProbeOutput, UnreadableOutput } from '../../step.js';

/** What a disk did between the two looks, on average. */
export interface DiskUse {
  readonly name: string;
  /** Part of the time with at least one request. */
  readonly busy: number;
  /** Requests that waited or were served. */
  readonly queue: number;
  /** Seconds from asking to answer; null when nothing was asked. */
  readonly wait: number | null;
  /** Reads and writes per second. */
  readonly iops: number;
  /** Bytes per second. */
  readonly read: number;
  readonly written: number;
}

/** Devices that are no disks, or stand for parts of disks, of several, or of memory. */
const standIns = /^(?:dm-|drbd|fd|loop|md|nbd|ram|sr|zd|zram)\d/;

/** The named devices that are there, or all whole disks. */
export function diskUses(output: ProbeOutput, devices?: readonly string[]): readonly DiskUse[] {
  expectSuccess(output);
  const lines = tabbedLines(output);
  if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the second look at the disks is missing');
  const [firstAt, secondAt] = ['first', 'second'].map((word) => lines.findIndex(([key]) => key === word));
  if (firstAt === undefined || secondAt === undefined || firstAt === -1 || secondAt < firstAt)
    throw new UnreadableOutput('one of the two looks at the disks is missing');
  const seconds = numberOf(lines[secondAt]?.[1], 'uptime') - numberOf(lines[firstAt]?.[1], 'uptime');
  if (seconds <= 0) throw new UnreadableOutput('no time went by between the two looks');
  const first = countersIn(lines.slice(firstAt, secondAt));
  const second = countersIn(lines.slice(secondAt));
  // The kernel writes ! for a / in the names of folders.
  const whole = lines.filter(([key]) => key === 'whole').map(([, name]) => name.replaceAll('!', '/'));
  const wanted = devices ?? whole.filter((name) => !standIns.test(name));
  return wanted.flatMap((name) => {
    const before = first.get(name);
    const after = second.get(name);
    return before && after ? [useOf(name, before, after, seconds)] : [];
  });
}

function countersIn(lines: ReturnType<typeof tabbedLines>): ReadonlyMap<string, string> {
  return new Map(
    lines
      .filter(([key]) => key === 'counters')
      .map(([, value]) => {
        const blank = value.indexOf(' ');
        return [value.slice(0, blank), value.slice(blank + 1)];
      }),
  );
}

/** Kernel documentation, admin-guide/iostats: eleven counters, since 4.18 and 5.5 more. Times are milliseconds. */
function useOf(name: string, before: string, after: string, seconds: number): DiskUse {
  const start = before.trim().split(/\s+/);
  const end = after.trim().split(/\s+/);
  const grown = (index: number) => {
    const [from, to] = [start[index], end[index]].map((text) => numberOf(text, `a counter of ${name}`)) as [
      number,
      number,
    ];
    if (to >= from) return to - from;
    // Counters of 32 bits start again at 0.
    if (from < 2 ** 32 && from > 2 ** 31) return to + 2 ** 32 - from;
    throw new UnreadableOutput(`the counters of ${name} went back`);
  };
  const requests = grown(0) + grown(4);
  return {
    name,
    busy: Math.min(1, grown(9) / 1000 / seconds),
    queue: grown(10) / 1000 / seconds,
    wait: requests === 0 ? null : (grown(3) + grown(7)) / 1000 / requests,
    iops: requests / seconds,
    // Sectors are 512 bytes here, whatever the disk has.
    read: (grown(2) * 512) / seconds,
    written: (grown(6) * 512) / seconds,
  };
}
