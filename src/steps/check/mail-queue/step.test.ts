import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, say, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const postfix = (lines: string) => `server\tpostfix\nnow\t10000\n${lines}end\t\n`;

describe('check.mail-queue', () => {
  it('reads Postfix on a Debian 12 host', () => {
    expect(judgeOutput(kind, fixture('postfix-empty.txt', import.meta.url)).summary).toBe('0 messages wait in postfix');
    expect(judgeOutput(kind, fixture('postfix-waiting.txt', import.meta.url))).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^3 messages wait in postfix \((?:2 deferred, 1 hold|1 hold, 2 deferred)\)$/),
    });
  });

  it('reads Exim of Debian 12', () => {
    expect(judgeOutput(kind, fixture('exim-waiting.txt', import.meta.url)).summary).toBe('2 messages wait in exim');
  });

  it.each(Object.keys(shells))('tells a mail server whose queue it cannot read from none, with %s', (shell) => {
    const folder = mkdtempSync(join(tmpdir(), 'opsctl-mail-'));
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const look = (target: string) => {
      rmSync(join(folder, 'sendmail'), { force: true });
      symlinkSync(join(folder, target), join(folder, 'sendmail'));
      const run = [...options, '-c', kind.probe.text, 'sh'];
      // With a pipe as its input, bash takes itself for one that was started over the network and reads ~/.bashrc.
      const { status, stderr } = spawnSync(say('which', program).trim(), run, {
        env: { PATH: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { status, said: String(stderr) };
    };
    try {
      symlinkSync(say('which', 'readlink').trim(), join(folder, 'readlink'));
      for (const name of ['smtpctl', 'msmtp']) writeFileSync(join(folder, name), '', { mode: 0o755 });

      expect(look('smtpctl')).toEqual({ status: 69, said: expect.stringContaining('not that of') });
      expect(look('msmtp').status).toBe(78);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('warns and fails when many messages wait', () => {
    expect(judgeOutput(kind, postfix('queue\tdeferred 90\nqueue\tactive 20\noldest\t9000\n'))).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '110 messages wait in postfix (90 deferred, 20 active), limit 100',
    });
    expect(judgeOutput(kind, 'server\texim\nqueue\tall 501\nend\t\n').outcome).toBe('failed');
  });

  it('judges the oldest message', () => {
    const said = postfix('queue\tdeferred 1\noldest\t2800\n');

    expect(judgeOutput(kind, said, { 'critical-age': '1h' })).toMatchObject({
      outcome: 'failed',
      summary: 'the oldest message in postfix has waited 2 h, limit 60 min',
    });
    expect(judgeOutput(kind, postfix(''), { 'critical-age': '1h' }).outcome).toBe('ok');
  });

  it('is unknown when an age is limited that the server does not tell', () => {
    expect(judgeOutput(kind, 'server\texim\nqueue\tall 1\nend\t\n', { 'warning-age': '1h' }).outcome).toBe('unknown');
  });

  it.each(['', postfix('').replace('end\t\n', ''), postfix('queue\tactive x\n')])(
    'does not take %j for a queue',
    (said) => {
      expect(() => judgeOutput(kind, said)).toThrow();
    },
  );

  it('says that there is no mail server, or counts, on this machine', () => {
    const output = runProbe(kind);

    expect([0, 69, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(judgeOutput(kind, output).metrics?.[0]?.value).toBeGreaterThanOrEqual(0);
  });
});
