import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, say, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('check.file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-file-'));
  const plain = join(folder, 'a b.conf');
  const text = 'Port 22\nPermitRootLogin no\nName größe\n';
  const socket = createServer();

  beforeAll(async () => {
    writeFileSync(plain, text);
    chmodSync(plain, 0o640);
    utimesSync(plain, new Date(), new Date(Date.now() - 7_200_000));
    mkdirSync(join(folder, 'sub'));
    symlinkSync(plain, join(folder, 'link'));
    symlinkSync(join(folder, 'gone'), join(folder, 'dangling'));
    await new Promise<void>((resolve) => socket.listen(join(folder, 'socket'), resolve));
  });

  afterAll(() => {
    socket.close();
    rmSync(folder, { recursive: true });
  });

  const look = (given: { path: string } & Record<string, unknown>, shell = 'dash') =>
    judgeOutput(kind, runProbe(kind, given, shell), given);

  it.each(Object.keys(shells))('is content with a file that is as it should be, with %s', (shell) => {
    const { outcome, summary } = look(
      {
        path: plain,
        type: 'file',
        mode: '640',
        owner: String(process.getuid?.()),
        'critical-size': '1B:1kB',
        'critical-age': '1h:3h',
        sha256: say('sha256sum', plain).slice(0, 64).toUpperCase(),
        contains: ['^Port 22', '(?m)^PermitRootLogin no$', 'größe'],
        lacks: 'yes',
      },
      shell,
    );

    expect({ outcome, summary }).toMatchObject({ outcome: 'ok', summary: expect.stringContaining('is a file, 0640') });
  });

  it.each([
    [{ mode: '0600' }, 'wrong-mode', 'has mode 0640, should be 0600'],
    [{ type: 'directory' }, 'wrong-type', 'is a file, should be a directory'],
    [{ owner: 'nobody' }, 'wrong-owner', 'should belong to nobody'],
    [{ group: '65000' }, 'wrong-group', 'should be 65000'],
    [{ sha256: '0'.repeat(64) }, 'wrong-checksum', 'has other contents'],
    [{ contains: 'PermitRootLogin yes' }, 'no-match', 'does not contain /PermitRootLogin yes/'],
    [{ lacks: ['x', 'Port \\d+'] }, 'match', 'contains /Port \\d+/'],
    [{ 'critical-age': '1h' }, 'above-critical', 'was changed 2 h ago, limit 60 min'],
    [{ 'critical-size': '1MiB:' }, 'below-critical', 'at least 1 MiB'],
    [{ state: 'absent' }, 'file-present', 'exists, should be absent'],
  ])('fails for %j', (given, reason, words) => {
    const judgement = look({ path: plain, ...given });

    expect(judgement).toMatchObject({ outcome: 'failed', reason });
    expect(judgement.summary).toContain(words);
  });

  it('warns before it fails', () => {
    expect(look({ path: plain, 'warning-age': '1h', 'critical-age': '3h' }).outcome).toBe('warning');
  });

  it('tells a missing file from a link that leads nowhere', () => {
    expect(look({ path: join(folder, 'gone') })).toMatchObject({ outcome: 'failed', reason: 'file-absent' });
    expect(look({ path: join(folder, 'gone'), state: 'absent' }).outcome).toBe('ok');
    expect(look({ path: join(folder, 'no/such/folder'), state: 'absent' }).outcome).toBe('ok');
    expect(look({ path: join(folder, 'dangling') }).summary).toContain('is a link that leads nowhere');
  });

  it('looks at a link itself when told so', () => {
    const link = join(folder, 'link');

    expect(look({ path: link, type: 'file' }).outcome).toBe('ok');
    expect(look({ path: link, type: 'symlink', follow: false }).outcome).toBe('ok');
    expect(kind.validate?.(withDefaults(kind, { path: link, type: 'symlink' }))).toHaveLength(1);
  });

  it('knows folders and sockets', () => {
    expect(look({ path: join(folder, 'sub'), type: 'directory' }).outcome).toBe('ok');
    expect(look({ path: join(folder, 'socket'), type: 'socket' }).outcome).toBe('ok');
    expect(look({ path: join(folder, 'sub'), contains: 'x' })).toMatchObject({
      outcome: 'failed',
      reason: 'no-contents',
    });
  });

  it('does not say that a long file lacks something', () => {
    const long = join(folder, 'long');
    writeFileSync(long, `start\n${'x'.repeat(1_100_000)}\nend\n`);

    expect(look({ path: long, contains: 'start' }).outcome).toBe('ok');
    expect(look({ path: long, contains: 'end' })).toMatchObject({ outcome: 'unknown', reason: 'too-large' });
    expect(look({ path: long, lacks: 'password' }).outcome).toBe('unknown');
    expect(look({ path: long, lacks: 'start' }).outcome).toBe('failed');
  });

  it('reads files of the kernel, which have no size', () => {
    expect(look({ path: '/proc/version', contains: '^Linux version' }).outcome).toBe('ok');
  });

  it.each(Object.keys(shells))('does not say what a file lacks that cannot be read, with %s', (shell) => {
    // The first page of a process is never there: an error of reading, as a broken disk gives it.
    const path = `/proc/${process.pid}/mem`;

    expect(() => look({ path, lacks: 'password' }, shell)).toThrow('probe ended with status');
  });

  it('does not understand half an answer', () => {
    expect(() =>
      judgeOutput(kind, 'stat\t81a4 0 0 10 1 root root\ncontents\t\nab', { path: '/a', contains: 'a' }),
    ).toThrow('2 of 10 bytes arrived');
    expect(() => judgeOutput(kind, '', { path: '/a' })).toThrow();
  });

  it('refuses a pattern that the linear engine does not know', () => {
    expect(kind.validate?.(withDefaults(kind, { path: '/a', contains: ['a', '(?=b)'] }))).toMatchObject([
      { path: ['contains', 1], what: expect.stringContaining('look-ahead') },
    ]);
  });
});
