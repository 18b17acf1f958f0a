import { isIP, isIPv6 } from 'node:net';
import type { ResourceType } from './goss.schema.js';

export interface NameProblem {
  readonly what: string;
  readonly hint: string;
}

/** What is wrong with what a resource is called on the host. */
export function nameProblem(type: ResourceType, name: string, server: unknown): NameProblem | undefined {
  if (/[\0\n]/.test(name) && type !== 'command') return { what: 'a name has one line', hint: 'remove the line end' };
  switch (type) {
    case 'addr':
      if (addrTarget(name)) return undefined;
      return {
        what: `"${name}" is no address to connect to`,
        hint: 'write tcp://host:port (for UDP there is check.udp)',
      };
    case 'dns':
      return dnsProblem(name, server);
    case 'file':
      if (/^[/~]/.test(name)) return undefined;
      return {
        what: `"${name}" is not absolute, and on the host there is no current folder`,
        hint: 'write the whole path',
      };
    case 'http':
      if (/^https?:\/\/[^/]/.test(name)) return undefined;
      return { what: `"${name}" is no URL`, hint: 'write http://… or https://…' };
    case 'interface':
      if (/^[^/\s]+$/.test(name) && !['.', '..'].includes(name)) return undefined;
      return { what: `"${name}" is no name of an interface`, hint: 'write a name such as eth0' };
    case 'kernel-param':
      if (/^[\w/.:*-]+$/.test(name) && !/(^|\/)\.*(\/|$)|\.\./.test(name)) return undefined;
      return { what: `"${name}" is no kernel parameter`, hint: 'write a name such as net.core.somaxconn' };
    case 'mount':
      if (name.startsWith('/')) return undefined;
      return { what: `"${name}" is not absolute`, hint: 'write the whole path' };
    case 'port':
      if (portSocket(name)) return undefined;
      return { what: `"${name}" is no port`, hint: 'write tcp:22, tcp6:22, udp:53 or udp6:53' };
    case 'process':
      if (Buffer.byteLength(name) <= 15) return undefined;
      return {
        what: `no process is called "${name}": the kernel keeps 15 characters of a name`,
        hint: `write \`comm: ${name.slice(0, 15)}\``,
      };
    case 'user':
    case 'group':
      if (!name.includes(':')) return undefined;
      return { what: `"${name}" is no name of a ${type}`, hint: 'names hold no colon' };
    case 'service':
      if (!name.includes('/')) return undefined;
      return { what: `"${name}" is no name of a service`, hint: 'write it without a path' };
    default:
      return undefined;
  }
}

/** `tcp://host:port`, `host:port`, with an IPv6 address in brackets. */
export function addrTarget(name: string): { readonly host: string; readonly port: string } | undefined {
  const [, bracketed, plain, port = ''] = /^(?:tcp[46]?:\/\/)?(?:\[([^\]]+)\]|([^:/\s]+)):(\d+)$/.exec(name) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || !isPort(port) || host.startsWith('-') ? undefined : { host, port };
}

export function portSocket(name: string): { readonly table: string; readonly port: number } | undefined {
  const [, table = 'tcp', port = ''] = /^(?:((?:tcp|udp)6?):)?(\d+)$/.exec(name) ?? [];
  return isPort(port) ? { table, port: Number(port) } : undefined;
}

const recordTypes = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TXT'];

export interface DnsQuestion {
  readonly host: string;
  readonly types: readonly string[];
  /** Empty when the host's own resolver is asked. */
  readonly server: string;
  readonly port: string;
}

export function dnsQuestion(name: string, server: string | undefined): DnsQuestion {
  const [, type, rest = name] = /^([A-Z]+):(.+)$/s.exec(name) ?? [];
  const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(server ?? '') ?? [];
  return {
    host: type === 'PTR' ? reverseName(rest) : rest,
    types: type === undefined ? ['A', 'AAAA'] : [type],
    server: bracketed ?? plain ?? server ?? '',
    port,
  };
}

function dnsProblem(name: string, server: unknown): NameProblem | undefined {
  const [, type, rest = name] = /^([A-Z]+):(.+)$/s.exec(name) ?? [];
  if (type !== undefined && !recordTypes.includes(type))
    return { what: `there is no record type ${type} here`, hint: `types are ${recordTypes.join(', ')}` };
  if (type !== undefined && server === undefined)
    return { what: `a record of type ${type} has to be asked from a server`, hint: 'add `server`' };
  if (type === 'PTR' && isIP(rest) === 0) return { what: `"${rest}" is no IP address`, hint: 'write PTR:address' };
  if (!/^[\w.:*-]+$/.test(rest) || rest.startsWith('-'))
    return { what: `"${rest}" is no name of a host`, hint: 'write a name' };
  return undefined;
}

function reverseName(address: string): string {
  if (!isIPv6(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const known = [...groups(head), ...groups(tail ?? '')];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - known.length }, () => '0');
  const all = [...groups(head), ...zeros, ...groups(tail ?? '')];
  const digits = all.map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 && Number(text) > 0;
}
