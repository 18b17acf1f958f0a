import { isLoopback, isWildcard, sameAddress } from '../address.js';

export interface Socket {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

/** An entry of the allow list. */
export interface Allowed {
  /** Null for both. */
  readonly protocol: string | null;
  /** `any`, `loopback` or an address; null wherever it listens. */
  readonly address: string | null;
  readonly first: number;
  readonly last: number;
}

const entry = /^(?:(tcp|udp)\/)?(?:(any|loopback|[\d.]+|\[[\dA-Fa-f:.]+\]):)?(\d{1,5})(?:-(\d{1,5}))?$/;

/** `22`, `tcp/443`, `8000-8100`, `udp/any:53`, `[::1]:631`. Undefined when it is none of these. */
export function readAllowed(text: string | number): Allowed | undefined {
  const match = entry.exec(String(text));
  if (!match) return undefined;
  const first = Number(match[3]);
  const last = Number(match[4] ?? match[3]);
  if (first < 1 || last > 65_535 || first > last) return undefined;
  return { protocol: match[1] ?? null, address: match[2]?.replace(/^\[|\]$/g, '') ?? null, first, last };
}

export function isAllowed({ protocol, address, port }: Socket, allowed: Allowed): boolean {
  if (allowed.protocol !== null && allowed.protocol !== protocol) return false;
  if (port < allowed.first || port > allowed.last) return false;
  if (allowed.address === null) return true;
  if (allowed.address === 'any') return isWildcard(address);
  if (allowed.address === 'loopback') return isLoopback(address);
  return sameAddress(allowed.address, address);
}

export function showSocket({ protocol, address, port }: Socket): string {
  return `${protocol}/${address.includes(':') ? `[${address}]` : address}:${port}`;
}

export function isReachable({ address }: Socket): boolean {
  return !isLoopback(address);
}
