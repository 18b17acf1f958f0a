import { changes, type Metric, type Outcome, type RunResult } from '../result/result.schema.js';

/** Numbers and times as people read them. */

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function formatMetric(value: number, unit: Metric['unit']): string {
  if (!Number.isFinite(value)) return 'unknown';
  switch (unit) {
    case 'ratio':
      return `${round(value * 100)}%`;
    case 'seconds':
      return formatSeconds(value);
    case 'bytes': {
      const power = Math.min(binary.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10)));
      return `${round(value / 2 ** (10 * power))} ${binary[power]}`;
    }
    case 'celsius':
      return `${round(value)} °C`;
    default:
      return round(value);
  }
}

/** `350 ms`, `12.3 s`, `4 m 05 s`, `2 h 03 m`, `45 d`. */
export function formatSeconds(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '-' : '';
  if (size < 1) return `${sign}${Math.round(size * 1000)} ms`;
  if (size < 59.95) return `${sign}${size.toFixed(1)} s`;
  const whole = Math.round(size);
  if (whole < 3600) return `${sign}${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 172_800) return `${sign}${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${sign}${Math.floor(whole / 86_400)} d`;
}

/** `2026-11-23 11:25:23Z`; what is not a time stays as it is. */
export function formatTime(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(iso);
  return match ? `${match[1]} ${match[2]}Z` : iso;
}

/** `1 host`, `3 hosts`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `95 ok, 3 failed, 1 waived`: the outcomes that occur, worst last, then what does not count. */
export function formatTotals(totals: Partial<Readonly<Record<(typeof totalOrder)[number], number>>>): string {
  const parts = totalOrder
    .filter((outcome) => (totals[outcome] ?? 0) > 0)
    .map((outcome) => `${totals[outcome]} ${outcome}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

const totalOrder = [
  'ok',
  'changed',
  'skipped',
  'warning',
  'failed',
  'unknown',
  'unreachable',
  'refused',
  'waived',
  'soft',
] as const;

/** How many results of steps there are. */
export function stepCount(totals: RunResult['totals']): number {
  return totalOrder.reduce((sum, outcome) => sum + (totals[outcome] ?? 0), 0);
}

/** `2 new, 1 fixed`: what changed since the last run. Empty when there is nothing to say. */
export function formatChanges(totals: RunResult['totals']): string {
  return changes
    .filter((change) => (totals[change] ?? 0) > 0)
    .map((change) => `${totals[change]} ${change}`)
    .join(', ');
}

export function hostTotals(result: RunResult): Readonly<Record<Outcome, number>> {
  const totals = { ok: 0, changed: 0, warning: 0, failed: 0, unknown: 0, unreachable: 0, refused: 0, skipped: 0 };
  for (const host of result.hosts) totals[host.outcome] += 1;
  return totals;
}

/** `exit 1: failed on 3 hosts`. */
export function formatExit({ code, reasons }: RunResult['exit']): string {
  const why = reasons
    .map(({ reason, hosts }) => {
      // What ended the run as a whole happened on no host.
      if (reason.startsWith('SIG')) return `stopped by ${reason}`;
      if (reason === 'deadline') return 'the deadline passed';
      return hosts > 0 ? `${reason} on ${count(hosts, 'host')}` : reason;
    })
    .join(', ');
  return `exit ${code}${why ? `: ${why}` : ''}`;
}

function round(value: number): string {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2)));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
