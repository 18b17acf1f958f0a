import { expectSuccess, numberOf } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

export const servers = ['dnsmasq', 'isc', 'kea'] as const;

export type Server = (typeof servers)[number];

/** IPv4 addresses as numbers, both ends included. */
export interface AddressRange {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface DhcpData {
  readonly server: Server;
  readonly file: string;
  /** Of the configuration. */
  readonly ranges: readonly AddressRange[];
  /** Addresses that clients have now, each once. */
  readonly used: readonly number[];
  /** Addresses that somebody else was found to use, so that the server keeps away from them. */
  readonly declined: readonly number[];
  /** Leases in the file that ended. */
  readonly expired: number;
}

interface Lease {
  readonly state: 'used' | 'declined' | 'free';
  /** Seconds since 1970. */
  readonly ends: number;
}

export function readLeases(output: ProbeOutput): DhcpData {
  expectSuccess(output);
  const [head = '', ranges = '', leases = '', end] = text(output.stdout).split(/^== .*\n/m);
  const value = (key: string) => new RegExp(`^${key}\\t(.*)$`, 'm').exec(head)?.[1];
  const server = servers.find((name) => name === value('server'));
  if (!server || end !== '') throw new UnreadableOutput('the leases are cut off');
  const now = numberOf(value('now'), 'now');
  const all = [...readers[server](leases.split('\n').filter((line) => line !== ''))];
  const current = (state: Lease['state']) =>
    all.filter(([, lease]) => lease.state === state && lease.ends > now).map(([address]) => address);
  return {
    server,
    file: value('file') ?? '',
    ranges: rangeReaders[server](ranges),
    used: current('used'),
    declined: current('declined'),
    expired: all.filter(([, { state, ends }]) => state === 'used' && ends <= now).length,
  };
}

/** Later lines of a file win. */
const readers: Readonly<Record<Server, (lines: readonly string[]) => ReadonlyMap<number, Lease>>> = {
  dnsmasq: (lines) =>
    new Map(
      lines.map((line) => {
        const [ends, address] = line.split(' ');
        const time = numberOf(ends, 'end of a lease');
        // 0 is for ever.
        return [addressOf(address), { state: 'used', ends: time === 0 ? Infinity : time }];
      }),
    ),
  isc: (lines) => {
    const leases = new Map<number, Lease>();
    let address: number | undefined;
    for (const line of lines) {
      const [, opened] = /^lease (\S+) \{/.exec(line) ?? [];
      const [, ends] = /^ {2}ends (.*);/.exec(line) ?? [];
      const [, binding] = /^ {2}binding state (\S+);/.exec(line) ?? [];
      if (opened !== undefined) {
        address = addressOf(opened);
        leases.set(address, { state: 'free', ends: Infinity });
      } else if (address === undefined) throw new UnreadableOutput(`not in a lease: ${line.slice(0, 80)}`);
      else {
        const known = leases.get(address) ?? { state: 'free', ends: Infinity };
        if (ends !== undefined) leases.set(address, { ...known, ends: iscTime(ends) });
        if (binding === 'active') leases.set(address, { ...known, state: 'used' });
        if (binding === 'abandoned') leases.set(address, { ends: Infinity, state: 'declined' });
      }
    }
    return leases;
  },
  kea: (lines) => {
    if (!lines[0]?.startsWith('address,valid_lifetime,expire,state'))
      throw new UnreadableOutput('not a lease file of Kea 1.0 or newer');
    return new Map(
      lines
        .filter((line) => !line.startsWith('address,'))
        .map((line) => {
          const [address, lifetime, expire, state] = line.split(',');
          const seconds = numberOf(lifetime, 'length of a lease');
          // A length of 0 is how Kea writes that a lease was deleted; 2^32 - 1 is for ever.
          const ends = seconds === 4_294_967_295 ? Infinity : numberOf(expire, 'end of a lease');
          const kinds = { 0: 'used', 1: 'declined', 2: 'free' } as const;
          const kind = kinds[numberOf(state, 'state of a lease') as 0 | 1 | 2] ?? 'free';
          return [addressOf(address), { state: seconds === 0 ? 'free' : kind, ends }];
        }),
    );
  },
};

/** `never`, `epoch 1795445300`, `1 2026/11/23 14:52:33` in UTC. */
function iscTime(words: string): number {
  if (words === 'never') return Infinity;
  const [, epoch] = /^epoch (\d+)/.exec(words) ?? [];
  const [, date = '', time = ''] = /^\d (\d{4}\/\d\d\/\d\d) (\d\d:\d\d:\d\d)$/.exec(words) ?? [];
  const seconds = epoch ? Number(epoch) : Date.parse(`${date.replaceAll('/', '-')}T${time}Z`) / 1000;
  if (Number.isNaN(seconds)) throw new UnreadableOutput(`not a time: ${words.slice(0, 80)}`);
  return seconds;
}

const rangeReaders: Readonly<Record<Server, (said: string) => AddressRange[]>> = {
  // Tags and an interface may stand before the addresses; `static`, `proxy` and IPv6 have no two of them.
  dnsmasq: (said) =>
    said.split('\n').flatMap((line) => {
      const words = (line.split('=')[1] ?? '').split(',').map((word) => word.trim());
      const start = words.findIndex((word) => parseAddress(word) !== null);
      return start === -1 ? [] : rangeOf(`${words[start]}-${words[start + 1]}`);
    }),
  isc: (said) =>
    [...said.matchAll(/range\s+(?:dynamic-bootp\s+)?(\S+?)(?:\s+(\S+?))?\s*;/g)].flatMap(([, low, high]) =>
      rangeOf(`${low}-${high ?? low}`),
    ),
  kea: (said) => [...said.matchAll(/"pool"\s*:\s*"([^"]*)"/g)].flatMap(([, pool = '']) => rangeOf(pool)),
};

function rangeOf(words: string): AddressRange[] {
  const range = parseAddressRange(words);
  return range ? [range] : [];
}

/** `10.0.0.10-10.0.0.99` or `10.0.0.0/26`; null for anything else. */
export function parseAddressRange(words: string): AddressRange | null {
  const [from = '', to = ''] = words.split('-').map((word) => word.trim());
  const [, network, length] = /^(.+)\/(\d{1,2})$/.exec(words.trim()) ?? [];
  if (network !== undefined) {
    const address = parseAddress(network);
    const size = 2 ** (32 - Number(length));
    if (address === null || size < 1) return null;
    const first = address - (address % size);
    return { name: words.trim(), first, last: first + size - 1 };
  }
  const [first, last] = [parseAddress(from), parseAddress(to)];
  if (first === null || last === null || last < first) return null;
  return { name: first === last ? from : `${from}-${to}`, first, last };
}

function parseAddress(word: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(word)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function addressOf(word: string | undefined): number {
  const address = parseAddress(word ?? '');
  if (address === null) throw new UnreadableOutput(`not an address: ${(word ?? '').slice(0, 80)}`);
  return address;
}
