import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, outputOf, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

/** A file system of 4 KiB blocks. */
function mount(path: string, numbers: { blocks: number; available: number; free?: number; inodes?: [number, number] }) {
  const { blocks, available, free = available, inodes = [1000, 900] } = numbers;
  const name = path.replaceAll(' ', '\\040');
  return [
    `mount 8:1 ext4 rw,relatime rw ${name}\n`,
    `stat ${Math.round(blocks)} ${Math.round(free)} ${Math.round(available)} 4096 ${inodes[0]} ${inodes[1]} ${name}\n`,
  ].join('');
}

const tebibyte = 2 ** 40 / 4096;
const gibibyte = 2 ** 30 / 4096;

describe('check.disk', () => {
  it('reads a Debian 12 host in systemd-nspawn, without its read-only bind mount', () => {
    const { outcome, summary, metrics } = judgeOutput(kind, fixture('debian12-nspawn.txt', import.meta.url));

    expect({ outcome, summary }).toEqual({ outcome: 'ok', summary: '2 file systems, / is 0 % full at most' });
    expect(metrics?.map(({ name }) => name)).toEqual([
      'used{/}',
      'available{/}',
      'inodes-used{/}',
      'used{/tmp}',
      'available{/tmp}',
      'inodes-used{/tmp}',
    ]);
  });

  it('reads a busybox host in a chroot', () => {
    expect(judgeOutput(kind, fixture('busybox-chroot.txt', import.meta.url))).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^\/ is \d+ % full$/),
    });
  });

  it('alarms when a part and an amount are short, not one of them', () => {
    const judge = (blocks: number, available: number) => judgeOutput(kind, mount('/', { blocks, available })).outcome;

    expect(judge(tebibyte, 0.04 * tebibyte)).toBe('ok');
    expect(judge(10 * gibibyte, 2 * gibibyte)).toBe('ok');
    expect(judge(100 * gibibyte, 14 * gibibyte)).toBe('warning');
    expect(judge(100 * gibibyte, 4 * gibibyte)).toBe('failed');
  });

  it('names the mount, what is left and the limit', () => {
    const said = mount('/', { blocks: 100, available: 50 }) + mount('/var data', { blocks: 1000, available: 85 });
    const { outcome, reason, summary, findings } = judgeOutput(kind, said, { warning: 80, critical: 90 });

    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'above-critical' });
    expect(summary).toBe('/var data is 91 % full, 340 KiB left, limit 90 %');
    expect(findings).toMatchObject([{ id: 'disk-space', subject: '/var data', severity: 'high' }]);
  });

  it('counts blocks that are reserved for root as neither used nor available', () => {
    const said = mount('/', { blocks: 100, free: 10, available: 0 });
    const { mounts } = kind.parse(outputOf(said), withDefaults(kind));

    expect(mounts[0]).toMatchObject({ usedRatio: 1, used: 90 * 4096, available: 0 });
  });

  it('finds a file system that is full of inodes', () => {
    const said = mount('/mail', { blocks: 1000, available: 990, inodes: [1000, 20] });

    expect(judgeOutput(kind, said)).toMatchObject({
      outcome: 'failed',
      summary: '/mail has used 98 % of its inodes, limit 95 %',
    });
  });

  it('has no inode metric where their number is not fixed', () => {
    const said = mount('/', { blocks: 1000, available: 990, inodes: [0, 0] });

    expect(judgeOutput(kind, said).metrics?.map(({ name }) => name)).toEqual(['used{/}', 'available{/}']);
  });

  it('is unknown for a dead mount and keeps the numbers of the others', () => {
    const said = `${mount('/', { blocks: 100, available: 50 })}mount 0:9 nfs4 rw rw /mnt/data\nhung /mnt/data\n`;

    expect(judgeOutput(kind, said)).toMatchObject({
      outcome: 'unknown',
      reason: 'mount-hung',
      summary: '/mnt/data did not answer within 5 s',
      metrics: [{ name: 'used{/}' }, { name: 'available{/}' }, { name: 'inodes-used{/}' }],
    });
  });

  it('does not let a dead mount hide a full disk', () => {
    const full = mount('/', { blocks: 100, available: 1 });

    expect(judgeOutput(kind, `${full}mount 0:9 nfs4 rw rw /a\nhung /a\n`, { critical: 90 })).toMatchObject({
      outcome: 'failed',
      summary: '/ is 99 % full, 4 KiB left, limit 90 %; /a did not answer within 5 s',
    });
  });

  it('tells why a mount could not be measured', () => {
    const output = {
      ...outputOf('mount 0:9 fuse rw rw /home/a/mnt\n'),
      stderr: Buffer.from("stat: cannot read file system information for '/home/a/mnt': Permission denied\n"),
    };

    expect(judgeOutput(kind, output)).toMatchObject({ outcome: 'unknown', reason: 'mount-unreadable' });
    expect(judgeOutput(kind, output).summary).toContain('Permission denied');
  });

  it('finds a file system that the kernel made read-only', () => {
    const said = mount('/srv', { blocks: 100, available: 50 }).replace('rw,relatime rw', 'rw,relatime ro');

    expect(judgeOutput(kind, said, { writable: true })).toMatchObject({ outcome: 'failed', reason: 'read-only' });
    expect(judgeOutput(kind, said).outcome).toBe('unknown');
  });

  it('leaves out full media unless asked for them', () => {
    const snap = mount('/snap/x', { blocks: 100, available: 0 }).replace('rw,relatime rw', 'ro ro');

    expect(judgeOutput(kind, mount('/', { blocks: 100, available: 50 }) + snap, { critical: 90 }).outcome).toBe('ok');
    expect(judgeOutput(kind, snap, { path: '/snap/x', critical: 90 }).outcome).toBe('failed');
  });

  it('wants an amount of space', () => {
    const said = mount('/', { blocks: tebibyte, available: gibibyte });

    expect(judgeOutput(kind, said, { available: '2GiB:', critical: 100 })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: '/ has 1 GiB available, at least 2 GiB',
    });
  });

  it('takes space that is less than nothing for none', () => {
    const said = mount('/srv', { blocks: 1000, free: 40, available: 2 ** 54 });

    expect(judgeOutput(kind, said, { critical: 95 }).summary).toBe('/srv is 100 % full, 0 B left, limit 95 %');
  });

  it('never calls nothing measured ok', () => {
    expect(judgeOutput(kind, '')).toMatchObject({ outcome: 'unknown', reason: 'nothing-measured' });
  });

  it.each(Object.keys(shells))('measures this machine with %s', (shell) => {
    const all = runProbe(kind, {}, shell);
    const one = runProbe(kind, { path: '/proc/self/../../etc/passwd' }, shell);
    const missing = runProbe(kind, { path: '/no/such/path' }, shell);

    expect(kind.parse(all, withDefaults(kind)).mounts.map(({ path }) => path)).toContain('/');
    expect(judgeOutput(kind, one, { path: '/etc/passwd' }).summary).toMatch(/^\/etc\/passwd is \d+ % full/);
    expect(missing.exitStatus).toBe(69);
  });

  it.each(Object.keys(shells))('leaves out what the patterns name with %s', (shell) => {
    const { mounts } = kind.parse(runProbe(kind, { ignore: ['/*'] }, shell), withDefaults(kind));

    expect(mounts).toEqual([]);
  });

  it('adds up what each process keeps of deleted files, and counts no file twice', () => {
    const said = [
      mount('/srv', { blocks: 1000, available: 50 }),
      'file 40 2 1 8 512 /srv\n',
      // Two links to one file, a second file, one on another device, and a link that was reopened meanwhile.
      'file 40 11 0 2048 512 /proc/71/fd/3\nfile 40 11 0 2048 512 /proc/72/fd/3\nfile 40 12 0 1024 512 /proc/71/fd/9\n',
      'file 41 13 0 9999 512 /proc/73/fd/3\nfile 40 14 1 9999 512 /proc/73/fd/4\n',
      'program 71 data base\nprogram 72 copy\nprogram 73 other\n',
    ].join('');
    const { summary, findings } = judgeOutput(kind, said, { critical: 90 });

    expect(summary).toBe(
      '/srv is 95 % full, 200 KiB left, limit 90 %, 1.5 MiB held by 2 deleted files of pid 71 (data base)',
    );
    expect(findings?.[0]?.remedy).toBe('Restart pid 71 (data base), which keeps deleted files open');
    expect(judgeOutput(kind, said, { critical: 99 }).summary).toBe('/srv is 95 % full');
  });

  it.each([
    [{}, ['8500', '21474836480', '0']],
    [{ warning: 80, critical: 70, available: '1KiB:' }, ['7000', '4503599627370496', '1024']],
    [{ critical: '@40:60%' }, ['4000', '4503599627370496', '0']],
    [{ critical: '~:95%', warning: '10:' }, ['9500', '4503599627370496', '0']],
  ])('looks for deleted files where %j is broken, and nowhere else', (given, expected) => {
    expect(kind.args(withDefaults(kind, given)).slice(2)).toEqual(expected);
  });
});

describeWith('check.disk among many mounts', ['unshare', 'root', 'dash', 'bash', 'busybox'], () => {
  /** Runs the probe where `prepare` has mounted things that nobody else sees. */
  function look(prepare: string, given: object, shell: string) {
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const args = kind.args(withDefaults(kind, given)).map(String);
    const script = `mount --make-rprivate /\nmount -t tmpfs top /srv\n${prepare}\nexec "$@"`;
    const probe = [program, ...options, '-c', kind.probe.text, 'sh', ...args];
    const { stdout, stderr, status } = spawnSync('unshare', ['-m', 'sh', '-euc', script, 'sh', ...probe]);
    return { stdout, stderr, exitStatus: status ?? -1 };
  }

  it.each(Object.keys(shells))(
    'judges what one of its mounts lets be written, and reads odd names with %s',
    (shell) => {
      const prepare = `
      mkdir /srv/fixed /srv/free '/srv/100%d full'
      mount -t tmpfs -o size=1M one /srv/fixed
      mount --bind /srv/fixed /srv/free
      mount -o remount,bind,ro /srv/fixed
      head -c 1000000 /dev/zero >/srv/free/file
      mount -t tmpfs -o size=1M two '/srv/100%d full'`;
      // The mounts of other tests may hang.
      const given = { ignore: ['/[!s]*'] };

      const output = look(prepare, given, shell);
      const { mounts, unknown } = kind.parse(output, withDefaults(kind, given));
      expect(unknown).toEqual([]);
      expect(
        mounts.filter(({ path }) => path.startsWith('/srv/')).map(({ path, readOnly }) => [path, readOnly]),
      ).toEqual([
        ['/srv/free', false],
        ['/srv/100%d full', false],
      ]);
      expect(judgeOutput(kind, output, given).findings).toContainEqual(
        expect.objectContaining({ id: 'disk-space', subject: '/srv/free', severity: 'high' }),
      );
    },
  );

  it.each(Object.keys(shells))('tells that the mount of a path with a space is read-only with %s', (shell) => {
    const given = { path: '/srv/my data', writable: true };
    const prepare = `
      mkdir '/srv/my data'
      mount -t tmpfs -o ro one '/srv/my data'`;

    expect(judgeOutput(kind, look(prepare, given, shell), given)).toMatchObject({
      outcome: 'failed',
      reason: 'read-only',
      summary: '/srv/my data is read-only',
    });
  });
});
