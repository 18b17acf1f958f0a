import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { type ProbeOutput, UnreadableOutput } from '../../step.js';

export interface ClockData {
  readonly service: string;
  readonly running: boolean;
  readonly synchronised: boolean;
  /** It follows nobody but itself, and still calls that synchronised. */
  readonly ownSource: boolean;
  /** Seconds between the clock and its source; null when the service does not tell. */
  readonly offset: number | null;
  readonly stratum: number | null;
  readonly source: string;
  /** Seconds since the clock was last compared with the source; null when the service does not tell. */
  readonly age: number | null;
}

export function readClock(output: ProbeOutput): ClockData {
  expectSuccess(output);
  const values = new Map(tabbedLines(output));
  const stopped = values.get('stopped');
  if (stopped !== undefined)
    return {
      service: stopped,
      running: false,
      synchronised: false,
      ownSource: false,
      offset: null,
      stratum: null,
      source: '',
      age: null,
    };
  const now = () => numberOf(values.get('now'), 'now');
  const chrony = values.get('chrony');
  if (chrony !== undefined) return readChrony(chrony, now());
  const ntpd = values.get('ntpd');
  if (ntpd !== undefined) return readNtpd(ntpd);
  const last = values.get('timesyncd');
  if (last === undefined) throw new UnreadableOutput('no time service answered');
  const offset = values.get('Offset');
  return {
    service: 'systemd-timesyncd',
    running: true,
    // No file: it has not set the clock since the start.
    ownSource: false,
    synchronised: last !== '' && offset !== undefined && values.get('Leap') !== 'not synchronized',
    offset: offset === undefined ? null : readTimeSpan(offset),
    stratum: values.has('Stratum') ? numberOf(values.get('Stratum'), 'stratum') : null,
    source: values.get('Server') ?? '',
    age: last === '' ? null : Math.max(0, now() - numberOf(last, 'last')),
  };
}

/** refid, source, stratum, reference time, offset, …, leap status. Status 0 and "Not synchronised" without a source. */
function readChrony(line: string, now: number): ClockData {
  const fields = line.split(',');
  const [refid = '', name = '', stratum, reference, offset] = fields;
  const leap = fields[13];
  if (leap === undefined) throw new UnreadableOutput(`not what chrony says: ${line.slice(0, 200)}`);
  const synchronised = leap !== 'Not synchronised';
  return {
    service: 'chrony',
    running: true,
    synchronised,
    // 127.127.1.1: its directive `local`.
    ownSource: synchronised && name === '' && refid === '7F7F0101',
    offset: synchronised ? Math.abs(numberOf(offset, 'offset')) : null,
    stratum: numberOf(stratum, 'stratum'),
    source: name || refid,
    age: synchronised ? Math.max(0, now - numberOf(reference, 'reference time')) : null,
  };
}

/**
 * `leap=00, stratum=2, offset=-0.123, refid=…, reftime=eeaefc8c.0a4a7109 …, clock=…`; leap 11 is "not synchronised", the
 * offset is in ms, and times are hexadecimal seconds.
 */
function readNtpd(line: string): ClockData {
  const value = (name: string) => new RegExp(`(?:^|[\\s,])${name}=([^,\\s]+)`).exec(line)?.[1];
  const leap = value('leap');
  if (leap === undefined) throw new UnreadableOutput(`not what ntpd says: ${line.slice(0, 200)}`);
  const synchronised = leap !== '11' && leap !== '3';
  const source = value('refid') ?? '';
  const [now, last] = [value('clock'), value('reftime')].map((time) => {
    const seconds = /^([\da-f]{8})\./i.exec(time ?? '')?.[1];
    return seconds === undefined ? 0 : Number.parseInt(seconds, 16);
  });
  return {
    service: 'ntpd',
    running: true,
    synchronised,
    ownSource: synchronised && /^(?:LOCL|LOCAL\(\d+\)|127\.127\.1\.\d+)$/.test(source),
    offset: synchronised ? Math.abs(numberOf(value('offset'), 'offset')) / 1000 : null,
    stratum: numberOf(value('stratum'), 'stratum'),
    source,
    age: synchronised && now && last ? Math.max(0, now - last) : null,
  };
}

const spans: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** A time span as systemd writes it: `+3us`, `-1.204ms`, `+1min 2.5s`. Its size. */
function readTimeSpan(source: string): number {
  const body = source.replace(/^[+-]/, '');
  const parts = body.split(' ').map((part) => /^(\d+(?:\.\d+)?)([a-z]+)?$/.exec(part));
  return parts.reduce((sum, part) => {
    const factor = part?.[2] === undefined ? (part?.[1] === '0' ? 1 : undefined) : spans[part[2]];
    if (!part || factor === undefined) throw new UnreadableOutput(`not a time: ${source}`);
    return sum + Number(part[1]) * factor;
  }, 0);
}
