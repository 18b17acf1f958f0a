import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const judge = (line: string, given: object = {}) =>
  judgeOutput(kind, `mount\t2 1 /srv ${line}\nend\t\n`, { path: '/srv', ...given });

describe('check.mount', () => {
  it('reads the root of a Debian 12 host', () => {
    const said = fixture('debian12-root.txt', import.meta.url);

    expect(judgeOutput(kind, said, { path: '/', type: 'ext4', 'read-only': false, options: ['relatime'] })).toEqual({
      outcome: 'ok',
      reason: 'ok',
      summary: '/ is a mount of /dev/vda (ext4, writable)',
    });
  });

  it('tells a mount from none', () => {
    expect(judgeOutput(kind, 'end\t\n', { path: '/srv' })).toMatchObject({ outcome: 'failed', reason: 'not-mounted' });
    expect(judgeOutput(kind, 'end\t\n', { path: '/srv', state: 'unmounted' }).outcome).toBe('ok');
    expect(judge('rw ext4 /dev/sdb1 rw', { state: 'unmounted' })).toMatchObject({
      outcome: 'failed',
      reason: 'mounted',
      summary: '/srv is a mount of /dev/sdb1 (ext4), should be unmounted',
    });
  });

  it('wants the type and the source', () => {
    expect(judge('rw nfs4 nas:/a rw', { type: 'ext4', source: 'nas:/b' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-type',
      summary: '/srv has nfs4, should have ext4; is a mount of nas:/a, should be of nas:/b',
    });
  });

  it('finds a file system that the kernel made read-only', () => {
    expect(judge('rw,relatime ext4 /dev/sdb1 ro', { 'read-only': false })).toMatchObject({
      outcome: 'failed',
      reason: 'read-only',
      summary: '/srv was made read-only by the kernel',
    });
    expect(judge('ro ext4 /dev/sdb1 rw', { 'read-only': false }).summary).toBe('/srv is mounted read-only');
    expect(judge('ro ext4 /dev/sdb1 rw', { 'read-only': true }).outcome).toBe('ok');
    expect(judge('rw ext4 /dev/sdb1 rw', { 'read-only': true }).reason).toBe('writable');
  });

  it('looks for options in both sets, and for rw in neither being ro', () => {
    const options = { options: ['nosuid', 'discard', 'rw'] };

    expect(judge('rw,nosuid ext4 /dev/sdb1 rw,discard', options).outcome).toBe('ok');
    expect(judge('rw,nosuid ext4 /dev/sdb1 ro,discard', options)).toMatchObject({
      reason: 'option-missing',
      summary: '/srv lacks rw (mount: rw,nosuid; file system: ro,discard)',
    });
  });

  it('takes the mount on top and reads names with spaces', () => {
    const said = 'mount\t2 1 /srv rw ext4 /dev/a rw\nmount\t3 2 /srv rw fuse.x /a\\040b rw\nend\t\n';

    expect(judgeOutput(kind, said, { path: '/srv' }).summary).toBe('/srv is a mount of /a b (fuse.x, writable)');
    expect(kind.args({ path: '/a b\\c/', state: 'mounted', options: [] })).toEqual(['/a\\040b\\134c']);
    expect(kind.args({ path: '/', state: 'mounted', options: [] })).toEqual(['/']);
  });

  it('does not take an automount that has mounted nothing for a file system', () => {
    const said = fixture('debian12-automount.txt', import.meta.url);

    expect(judgeOutput(kind, said, { path: '/srv/nas' })).toMatchObject({
      outcome: 'failed',
      reason: 'not-mounted',
      summary: 'nothing is mounted on /srv/nas yet, an automount waits there for the first access',
    });
    expect(judgeOutput(kind, said, { path: '/srv/nas', type: 'autofs' }).outcome).toBe('ok');
    const mounted = said.replace('end\t', 'mount\t900 720 /srv/nas rw nfs4 nas:/data rw\nend\t');
    expect(judgeOutput(kind, mounted, { path: '/srv/nas', type: 'nfs4' }).outcome).toBe('ok');
  });

  it('does not take a mount that is hidden below another for one', () => {
    const said = fixture('debian12-hidden.txt', import.meta.url);

    expect(judgeOutput(kind, said, { path: '/srv/a/b' }).reason).toBe('not-mounted');
    expect(judgeOutput(kind, said.replace('720 694 /srv/a/b', '720 721 /srv/a/b'), { path: '/srv/a/b' }).outcome).toBe(
      'ok',
    );
  });

  it('comes to an end with mounts that are parents of each other', () => {
    const said = ['1 9', '2 1', '1 2'].map((ids) => `mount\t${ids} /srv rw tmpfs one rw\n`).join('');

    expect(judgeOutput(kind, `${said}end\t\n`, { path: '/srv' }).outcome).toBe('ok');
  });

  it.each(['', 'mount\t2 1 /srv rw ext4 /dev/a rw\n', 'mount\t2 1 /srv rw\nend\t\n'])(
    'does not take %j for an answer',
    (said) => {
      expect(() => judgeOutput(kind, said, { path: '/srv' })).toThrow();
    },
  );

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const judged = (path: string, given = {}) =>
      judgeOutput(kind, runProbe(kind, { path }, shell), { path, ...given }).reason;

    expect(judged('/proc/', { type: 'proc' })).toBe('ok');
    expect(judged('/no/such mount')).toBe('not-mounted');
  });
});
