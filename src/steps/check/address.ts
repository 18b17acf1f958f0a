import { UnreadableOutput } from '../step.js';

/** An address as /proc/net writes it: 32-bit words in hex, each in the byte order of the machine. */
export function readAddress(hex: string, bigEndian: boolean): string {
  if (!/^(?:[\dA-F]{8}|[\dA-F]{32})$/i.test(hex)) throw new UnreadableOutput(`not an address: ${hex.slice(0, 80)}`);
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
    const octets = (word.match(/../g) ?? []).map((octet) => Number.parseInt(octet, 16));
    return bigEndian ? octets : octets.reverse();
  });
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return canonicalAddress(groups.join(':'));
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address);
}

export function sameAddress(left: string, right: string): boolean {
  return canonicalAddress(left) === canonicalAddress(right);
}

/** The short form of an IPv6 address; any other text as it is. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address;
  try {
    return new URL(`http://[${address}]`).hostname.slice(1, -1);
  } catch {
    return address;
  }
}
