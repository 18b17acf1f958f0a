import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, say, shells } from '../../../../test/support/probe.js';
import { questionFor } from './resolver.js';
import kind from './step.js';

const read = (name: string) => fixture(`${name}.txt`, import.meta.url);
const name = 'www.example.test';
const dead = read('one-of-three-dead');

describe('check.dns-resolver', () => {
  it('warns when one of several servers is dead, and names it', () => {
    expect(judgeOutput(kind, dead, { name })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '1 of 3 name servers do not answer for www.example.test: 127.0.0.4 (silent), limit 0',
    });
    expect(judgeOutput(kind, dead, { name, critical: 0 }).outcome).toBe('failed');
    expect(judgeOutput(kind, dead, { name, 'critical-servers': '3:' }).reason).toBe('below-critical');
  });

  it('tells who answers, how fast, and what programs get', () => {
    expect(judgeOutput(kind, dead, { name, warning: 1 }).summary).toMatch(
      /^2 of 3 name servers answer for www\.example\.test, the slowest in \d+(?:\.\d+)? ms, programs get 192\.0\.2\.10$/,
    );
    expect(judgeOutput(kind, dead, { name, warning: 1, 'critical-time': '1ms' }).summary).toMatch(
      /^the slowest name server took .* ms, limit 1 ms$/,
    );
  });

  it('fails when a server refuses and programs find nothing', () => {
    expect(judgeOutput(kind, read('refused'), { name: 'nope.test' })).toMatchObject({
      outcome: 'failed',
      reason: 'not-resolved',
      summary:
        'programs on the host do not find nope.test; 0 of 1 name servers answer for nope.test, at least 1; 1 of 1 name servers do not answer for nope.test: 127.0.0.3 (REFUSED), limit 0',
    });
  });

  it('reads what busybox says', () => {
    expect(judgeOutput(kind, read('busybox'), { name, warning: 1 }).summary).toBe(
      '1 of 2 name servers answer for www.example.test',
    );
    expect(judgeOutput(kind, read('busybox'), { name, warning: 1, addresses: ['192.0.2.10'] })).toMatchObject({
      outcome: 'unknown',
      reason: 'tool-missing',
    });
    expect(judgeOutput(kind, read('busybox'), { name, warning: 1, 'warning-time': '1s' }).reason).toBe('not-measured');
  });

  it('compares servers, search list and addresses', () => {
    const right = { servers: ['127.0.0.2', '127.0.0.3', '127.0.0.4'], search: ['example.test', 'other.test'] };
    const judged = (given: object) => judgeOutput(kind, dead, { name, warning: 1, ...given });

    expect(judged({ ...right, addresses: ['192.0.2.10'] }).outcome).toBe('ok');
    expect(judged({ servers: ['127.0.0.3', '127.0.0.2', '127.0.0.4'] })).toMatchObject({
      reason: 'wrong-servers',
      summary: 'the name servers are 127.0.0.2, 127.0.0.3, 127.0.0.4, should be 127.0.0.3, 127.0.0.2, 127.0.0.4',
    });
    expect(judged({ search: [] })).toMatchObject({
      reason: 'wrong-search',
      summary: 'the search list is example.test other.test, should be empty',
    });
    expect(judged({ addresses: ['192.0.2.11'] })).toMatchObject({ reason: 'wrong-address' });
  });

  it('compares what systemd-resolved asks, not its own address', () => {
    const reply = /^reply\t127\.0\.0\.2\t.*\n/m.exec(dead)?.[0] ?? '';
    const stub = [
      'nameserver\t127.0.0.53\nupstream\t10.0.0.53\noptions\tedns0\n',
      reply.replace('127.0.0.2', '127.0.0.53'),
      reply.replace('127.0.0.2', '10.0.0.53'),
      'getent\t0\naddress\t192.0.2.10\nend\t\n',
    ].join('');

    expect(judgeOutput(kind, stub, { name, servers: ['10.0.0.53'] }).summary).toMatch(/^2 of 2 name servers answer /);
    expect(judgeOutput(kind, stub, { name, servers: ['127.0.0.53'] }).reason).toBe('wrong-servers');
  });

  it('says when DNS is not asked at all, or a lookup hangs, or servers are too many', () => {
    const found = (status: string) => dead.replace(/getent\t0\n(?:address.*\n)*/, `getent\t${status}\n`);
    const many = dead.replace('search\t', 'nameserver\t127.0.0.2\nsearch\t');

    expect(judgeOutput(kind, found('2').replace('files dns', 'files'), { name }).summary).toMatch(
      /^programs on the host do not find www\.example\.test: hosts in nsswitch\.conf is "files", without DNS;/,
    );
    expect(judgeOutput(kind, found('124'), { name }).reason).toBe('lookup-timeout');
    expect(judgeOutput(kind, found('143'), { name }).reason).toBe('lookup-timeout');
    expect(judgeOutput(kind, many, { name, warning: 9 }).reason).toBe('too-many-servers');
    expect(judgeOutput(kind, 'getent\t0\naddress\t10.0.0.1\nend\t\n', { name }).summary).toMatch(
      /^no name server is set up, at least 1/,
    );
  });

  it('asks with a message of DNS', () => {
    expect(questionFor('a.bc.')).toBe(
      '\\157\\160\\001\\000\\000\\001\\000\\000\\000\\000\\000\\000\\001\\141\\002\\142\\143\\000\\000\\001\\000\\001',
    );
  });

  it.each([
    '',
    dead.replace('end\t\n', ''),
    dead.replace(/^reply\t127\.0\.0\.3.*\n/m, ''),
    dead.replace('6f708580', '12348580'),
    dead.replace('6f708580', '6f700580'),
  ])('does not take %#: %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said, { name })).toThrow();
  });
});

describeWith(
  'check.dns-resolver in a network namespace',
  ['unshare', 'root', 'dnsmasq', 'ip', 'dash', 'bash', 'busybox'],
  () => {
    let folder = '';
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'opsctl-resolver-'));
      for (const applet of ['timeout', 'nslookup']) symlinkSync(say('which', 'busybox').trim(), join(folder, applet));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    /** Runs the probe where dnsmasq answers on 127.0.0.2 and resolv.conf is this one. */
    function look(resolvConf: string, asked: string, shell: string, path?: string) {
      const [program = 'sh', ...options] = shells[shell] ?? [];
      writeFileSync(join(folder, 'resolv.conf'), resolvConf);
      writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: files dns\n');
      const prepare = `ip link set lo up
mount --bind ${folder}/resolv.conf /etc/resolv.conf
mount --bind ${folder}/nsswitch.conf /etc/nsswitch.conf
dnsmasq -k -R -h -C /dev/null --user=root -z -a 127.0.0.2 --pid-file= --host-record=${name},192.0.2.10 2>/dev/null &
server=$!
n=0
while ! grep -q ':0035 ' /proc/net/udp && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
status=0
PATH=$1; shift
"$@" || status=$?
kill $server
exit $status`;
      const result = spawnSync(
        'unshare',
        [
          '-nm',
          'sh',
          '-euc',
          prepare,
          'sh',
          path ?? process.env.PATH ?? '',
          say('which', program).trim(),
          ...options,
          '-c',
          kind.probe.text,
          'sh',
          ...kind.args({ name: asked } as never).map(String),
        ],
        { env: { ...process.env, LC_ALL: 'C' } },
      );
      return { stdout: result.stdout, stderr: result.stderr, exitStatus: result.status ?? -1 };
    }

    it.each(Object.keys(shells))('asks each server and the C library with %s', (shell) => {
      const conf = '# comment\nnameserver 127.0.0.2\nnameserver 127.0.0.3\nsearch example.test\n';
      const output = look(conf, name, shell);

      expect(judgeOutput(kind, output, { name, search: ['example.test'], addresses: ['192.0.2.10'] })).toMatchObject({
        outcome: 'warning',
        summary: '1 of 2 name servers do not answer for www.example.test: 127.0.0.3 (silent), limit 0',
      });
    });

    it('asks with nslookup of busybox where there is no bash', () => {
      const output = look('nameserver 127.0.0.2\nnameserver 127.0.0.3', name, 'busybox', folder);

      expect(judgeOutput(kind, output, { name }).summary).toBe(
        '1 of 2 name servers do not answer for www.example.test: 127.0.0.3 (silent), limit 0',
      );
    });

    it('hears a server that refuses', () => {
      expect(
        judgeOutput(kind, look('nameserver 127.0.0.2\n', 'nope.invalid', 'dash'), { name: 'nope.invalid' }).summary,
      ).toMatch(/127\.0\.0\.2 \((?:REFUSED|NXDOMAIN|SERVFAIL)\)/);
    });

    it('is unknown without a tool that asks', () => {
      expect(look('nameserver 127.0.0.2\n', name, 'dash', join(folder, 'nowhere')).exitStatus).toBe(127);
    });
  },
);
