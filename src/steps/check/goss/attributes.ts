import { UnreadableOutput } from '../../step.js';
import type { Facts } from './facts.js';
import { CutText } from './match.js';
import type { Resource } from './resources.js';

/** The value of an attribute, or why it has none: `fails` is proven, `unknown` is not. */
export type Found = { readonly value: unknown } | { readonly unknown: string } | { readonly fails: string };

export const value = (found: unknown): Found => ({ value: found });

export const fileQuestions: Readonly<Record<string, string>> = {
  'linked-to': 'link',
  contents: 'contents',
  contains: 'contents',
  md5: 'md5',
  sha256: 'sha256',
  sha512: 'sha512',
};

const fileTypes: Readonly<Record<number, string>> = {
  1: 'pipe',
  2: 'character-device',
  4: 'directory',
  6: 'block-device',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

export function fileAttribute(attribute: string, facts: Facts): Found {
  const [hex = '', uid, gid, size, owner, group] = facts.value('state').split(' ');
  const mode = Number.parseInt(hex, 16);
  const wanted = fileQuestions[attribute];
  if (wanted !== undefined && facts.values('irregular').includes(wanted)) return { fails: 'it is no regular file' };
  switch (attribute) {
    case 'mode':
      return value((mode & 0o7777).toString(8).padStart(4, '0'));
    case 'filetype':
      return value(fileTypes[mode >> 12] ?? 'file');
    // A number that nobody has as a name stands for itself.
    case 'owner':
      return value(owner === 'UNKNOWN' ? uid : owner);
    case 'group':
      return value(group === 'UNKNOWN' ? gid : group);
    case 'uid':
    case 'gid':
    case 'size':
      return value(numbers({ uid, gid, size }[attribute], 1)[0]);
    case 'linked-to':
      return facts.has('link')
        ? value(whole(facts.text('link')).replace(/\n$/, ''))
        : { fails: 'it is no symbolic link' };
    case 'contents':
    case 'contains':
      return value(facts.text('contents'));
    default:
      return value(facts.value(attribute));
  }
}

export function userAttribute(attribute: string, facts: Facts, { name }: Resource): Found {
  const [, , uid, gid, , home, shell] = facts.value('user').split(':');
  switch (attribute) {
    case 'uid':
    case 'gid':
      return value(numbers({ uid, gid }[attribute], 1)[0]);
    case 'home':
      return value(home);
    case 'shell':
      return value(shell);
    default: {
      const groups = facts.values('group').map((line) => line.split(':'));
      const own = groups.filter(([, , id, members = '']) => id === gid || members.split(',').includes(name));
      return value(own.map(([group]) => group).sort());
    }
  }
}

export function mountAttribute(attribute: string, facts: Facts): Found {
  const [before = '', after = ''] = facts.value('mount').split(/ - (.*)/s);
  const [type, source, superOptions] = after.split(' ');
  if (!type || source === undefined || !superOptions) throw new UnreadableOutput('not a mount');
  switch (attribute) {
    case 'opts':
      return value([...new Set(before.split(' ')[0]?.split(','))]);
    case 'vfs-opts':
      // Commas in quotes separate nothing: context="…:c1,c2" of SELinux.
      return value(superOptions.match(/(?:"[^"]*"|[^,])+/g) ?? []);
    case 'source':
      return value(
        source.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
      );
    case 'filesystem':
      return value(type);
    default: {
      const [blocks, free] = numbers(facts.value('blocks'), 2) as [number, number];
      return blocks === 0 ? { fails: 'the file system has no blocks' } : value(Math.round((1 - free / blocks) * 100));
    }
  }
}

export function serviceAttribute(attribute: string, facts: Facts): Found {
  const systemd = facts.value('manager') === 'systemd';
  const running = facts.values('running')[0]?.split(' ')[0];
  switch (attribute) {
    case 'running':
      return value(running === '0');
    case 'enabled':
      return value(systemd ? facts.value('enabled').startsWith('0 ') : facts.has('level'));
    default:
      return systemd ? { unknown: 'systemd has no run levels' } : value([...facts.values('level')].sort());
  }
}

/** Bytes of headers that the probe prints. */
const headerLimit = 16_384;

export function httpAttribute(attribute: string, facts: Facts): Found {
  const [status] = numbers(facts.value('ended'), 1);
  const said = whole(facts.text('headers'));
  if (said.length >= headerLimit) return { unknown: 'its headers are too long to look at' };
  const lines = said.split(/\r?\n/);
  if (status !== 0) {
    const complaint = lines.findLast((line) => line.startsWith('curl: ')) ?? `curl ended with status ${status}`;
    return { fails: `no answer: ${complaint.replace(/^curl: (\(\d+\) )?/, '')}` };
  }
  const start = lines.findLastIndex((line) => /^HTTP\/[\d.]+ \d{3}/.test(line));
  const end = lines.indexOf('', start);
  if (start === -1) throw new UnreadableOutput('the answer has no status');
  if (attribute === 'status') return value(Number(lines[start]?.split(' ')[1]));
  if (attribute === 'body') return value(facts.text('body'));
  return value(
    lines
      .slice(start + 1, end === -1 ? undefined : end)
      .map(headerLine)
      .join('\n'),
  );
}

/** The name as Go writes it: HTTP/2 has small letters only. */
function headerLine(line: string): string {
  return line.replace(/^[^:]+/, (name) => name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()));
}

export function packageVersions(said: string, manager: string, name: string): string[] {
  const lines = said.split('\n').filter((line) => line !== '');
  switch (manager) {
    case 'dpkg':
      return lines.flatMap((line) => /^(?:install|hold) ok installed\t(.+)$/.exec(line)?.[1] ?? []);
    case 'apk':
      return lines.flatMap((line) => (line.startsWith(`${name}-`) ? [line.slice(name.length + 1)] : []));
    case 'pacman':
      return lines.flatMap((line) => line.split(' ')[1] ?? []);
    default:
      return lines;
  }
}

export function interfaceAddress(line: string): string[] {
  const [, address = '', , peer] = /\sinet6?\s+(\S+)(\s+peer\s+(\S+))?/.exec(line) ?? [];
  if (address === '') return [];
  return [address.includes('/') || !peer ? address : `${address}/${peer.split('/')[1]}`];
}

export function hostAddresses(facts: Facts): readonly string[][] {
  if (facts.has('absent')) return [];
  return [
    whole(facts.text('hosts'))
      .split('\n')
      .flatMap((line) => /^\S+/.exec(line)?.[0] ?? []),
  ];
}

/** Records of an answer of dig, or the status of an answer that says nothing about the name. */
export function recordsOf(facts: Facts, type: string): string[] | string {
  const said = whole(facts.text(type));
  const status = /status: ([A-Z]+)/.exec(said)?.[1];
  if (status === undefined) throw new UnreadableOutput('the answer of dig has no status');
  if (status !== 'NOERROR' && status !== 'NXDOMAIN') return status;
  return said.split('\n').flatMap((line) => {
    const [, kind, data = ''] = /^[^;\s]\S*\s+\d+\s+IN\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (kind !== type) return [];
    if (type === 'TXT') return (data.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((part) => unescapeText(part.slice(1, -1)));
    return type === 'CAA' ? data.replace(/"(.*)"$/, '$1') : data;
  });
}

function unescapeText(text: string): string {
  return text.replace(/\\(\d{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number(code)) : code,
  );
}

export function whole(text: string | CutText): string {
  if (text instanceof CutText) throw new UnreadableOutput('an answer is longer than expected');
  return text;
}

export function numbers(text: string | undefined, count: number): number[] {
  const found = text?.split(' ') ?? [];
  if (found.length !== count || !found.every((part) => /^\d+$/.test(part)))
    throw new UnreadableOutput(`not a number: ${String(text).slice(0, 80)}`);
  return found.map(Number);
}
