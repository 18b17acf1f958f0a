import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { decodeKey, lookupName, matchesGlob, parseKnownHosts } from './known-hosts.js';

const ed = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGsKWBSuvPCPEXMZOiMDHhxINXNqtGQvHf2hqPXl2gcB';

const parse = (...lines: string[]) => parseKnownHosts(lines.join('\n'), 'known_hosts');
const hash = (name: string) => {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

it.each([
  ['web1', 22, 'web1'],
  ['Web1.Example.COM', 22, 'web1.example.com'],
  ['web1', 2222, '[web1]:2222'],
  ['FE80::1', 22, 'fe80::1'],
  ['::1', 2222, '[::1]:2222'],
])('looks %s port %i up as %s', (address, port, name) => {
  expect(lookupName(address, port)).toBe(name);
});

it.each([
  ['web1', 'web1', true],
  ['WEB1', 'web1', true],
  ['db1,web1', 'web1', true],
  ['web?', 'web1', true],
  ['web?', 'web12', false],
  ['*.example.com', 'a.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*,!web1', 'web1', false],
  ['!web1,*', 'web1', false],
  ['!web1', 'web2', false],
  ['[web1]:2222', '[web1]:2222', true],
  ['web1', '[web1]:2222', false],
  ['[*]:*', '[web1]:2222', true],
  [hash('web1'), 'web1', true],
  [hash('web1'), 'web2', false],
])('%s matches %s: %s', (hosts, name, matches) => {
  expect(parse(`${hosts} ${ed}`).find(name)).toHaveLength(matches ? 1 : 0);
});

it('reads markers, comments, CRLF and indented lines', () => {
  const file = parse('# comment', '', `  web1 ${ed} who@where\r`, `@revoked * ${ed}`, `@cert-authority\t*.lan ${ed}`);

  expect(file.warnings).toEqual([]);
  expect(file.entries.map(({ line, marker }) => [line, marker])).toEqual([
    [3, undefined],
    [4, 'revoked'],
    [5, 'cert-authority'],
  ]);
});

it.each([
  ['web1', 'the key is missing'],
  ['web1 ssh-ed25519', 'the ssh-ed25519 key is damaged'],
  ['web1 ssh-ed25519 AAAA', 'the ssh-ed25519 key is damaged'],
  [`web1 ssh-rsa ${ed.slice(12)}`, 'the ssh-rsa key is damaged'],
  [`web1 ssh-new ${ed.slice(12)}`, 'unknown key type ssh-new'],
  [`@trusted web1 ${ed}`, 'unknown marker @trusted'],
  [`|1|short|short ${ed}`, 'the hashed host name is damaged'],
  ['web1 2048 65537 12345', 'unknown key type 2048'],
])('warns about the broken line %j and uses the others', (broken, warning) => {
  const file = parse(`web1 ${ed}`, broken, `web2 ${ed}`);

  expect(file.warnings).toEqual([`known_hosts:2: ${warning}; the line is not used`]);
  expect(file.entries.map(({ line }) => line)).toEqual([1, 3]);
});

it('finds a line that was added later', () => {
  const file = parse(`web1 ${ed}`);
  file.find('web2');
  file.add({ file: 'known_hosts', line: 2, hosts: 'web2', type: 'ssh-ed25519', key: ed.slice(12) });

  expect(file.find('web2')).toHaveLength(1);
});

it('looks at one hashed line of a thousand when it knows the key', () => {
  const lines = Array.from({ length: 1_000 }, (_, index) => `${hash(`h${index}`)} ${ed}`);
  const own = ed.replace('IGsK', 'IGsL');
  const file = parse(...lines, `${hash('web1')} ${own}`);

  expect(file.findKey('web1', own.slice(12))?.line).toBe(1_001);
  expect(file.findKey('web1', own.slice(12), 'revoked')).toBeUndefined();
  expect(file.findKey('web2', own.slice(12))).toBeUndefined();
});

it('matches patterns in linear time', () => {
  expect(matchesGlob('a'.repeat(5_000), `${'*a'.repeat(500)}b`)).toBe(false);
});

it('refuses base64 that only looks right', () => {
  expect(decodeKey(`${ed.slice(12)}`, 'ssh-ed25519')).toBe(ed.slice(12));
  expect(decodeKey(`${ed.slice(12, -1)}_`, 'ssh-ed25519')).toBeUndefined();
  expect(decodeKey(`${ed.slice(12)}!`, 'ssh-ed25519')).toBeUndefined();
});
