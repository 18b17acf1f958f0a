import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const said = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);
const mount = 'mount\t/a rw nfs4 nas:/a rw,hard\n';

describe('check.nfs', () => {
  it('is content with mounts that answer', () => {
    const judged = judgeOutput(kind, said('ok'), { paths: ['/mnt/a b/', '/mnt/b'], options: ['hard', 'rw'] });

    expect(judged).toMatchObject({ outcome: 'ok', reason: 'ok', summary: '2 mounts answered in 20 ms' });
    expect(judged.metrics).toEqual([
      { name: 'answer{/mnt/a b}', value: 0.02, unit: 'seconds', warning: '1', min: 0 },
      { name: 'answer{/mnt/b}', value: 0.02, unit: 'seconds', warning: '1', min: 0 },
    ]);
    expect(judgeOutput(kind, `${mount}answer\t/a 0 3 99\nend\t\n`).summary).toBe('/a (nas:/a) answered in 30 ms');
  });

  it('names the mount that hangs, and still measures the other', () => {
    const judged = judgeOutput(kind, said('hung'), { deadline: 3 });

    expect(judged).toMatchObject({
      outcome: 'failed',
      reason: 'mount-hung',
      summary: '/mnt/b (10.9.0.1:/export/b) did not answer within 3 s',
      findings: [{ id: 'mount-hung', subject: '/mnt/b' }],
    });
    expect(judged.metrics?.map(({ name }) => name)).toEqual(['answer{/mnt/a b}']);
  });

  it('knows a stale mount', () => {
    expect(judgeOutput(kind, said('stale'))).toMatchObject({
      outcome: 'failed',
      reason: 'mount-stale',
      summary: '/mnt/b (10.9.0.1:/export/b) is stale: the server no longer has what was mounted',
    });
  });

  it('judges the time of an answer by its ranges', () => {
    const slow = `${mount}answer\t/a 0 250 99\nend\t\n`;

    expect(judgeOutput(kind, slow)).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: '/a (nas:/a) took 2.5 s to answer, limit 1 s',
    });
    expect(judgeOutput(kind, slow, { critical: '2s' }).outcome).toBe('failed');
    expect(judgeOutput(kind, slow, { warning: '5s' }).outcome).toBe('ok');
  });

  it('tells an error from a missing permission', () => {
    const refused = (why: string) =>
      judgeOutput(kind, `${mount}answer\t/a 1 3 stat: cannot read '/a': ${why}\nend\t\n`);

    expect(refused('Input/output error')).toMatchObject({
      outcome: 'failed',
      reason: 'mount-refused',
      summary: '/a (nas:/a) does not work: Input/output error',
    });
    expect(refused('Permission denied')).toMatchObject({ outcome: 'unknown', reason: 'no-permission' });
  });

  it('wants the mounts and options that were asked for', () => {
    expect(judgeOutput(kind, 'end\t\n', { paths: ['/home'] })).toMatchObject({
      outcome: 'failed',
      reason: 'not-mounted',
      summary: '/home is not a mount of nfs, nfs4',
    });
    expect(judgeOutput(kind, said('ok'), { options: ['vers=4.2'] })).toMatchObject({
      outcome: 'failed',
      reason: 'option-missing',
      summary: expect.stringMatching(/^\/mnt\/b lacks vers=4\.2 \(has rw,relatime,vers=3,/),
    });
  });

  it('looks at the mount on top of another', () => {
    const text = `${mount}mount\t/a rw nfs4 nas:/b rw\nanswer\t/a 0 3 99\nend\t\n`;

    expect(judgeOutput(kind, text).summary).toBe('/a (nas:/b) answered in 30 ms');
  });

  it.each([
    '',
    mount,
    `${mount}end\t\n`,
    `${mount}answer\t/b 0 3 99\nend\t\n`,
    `${mount}answer\t/a 0 3 \nend\t\n`,
    `${mount}answer\t/a 0 soon 99\nend\t\n`,
    'mount\t/a rw\nhung\t/a\nend\t\n',
  ])('does not take %j for an answer', (text) => {
    expect(() => judgeOutput(kind, text)).toThrow();
  });

  it('hands over mount points as the kernel writes them', () => {
    expect(kind.args(withDefaults(kind, { paths: ['/a b/'] }))).toEqual(['5', ' nfs nfs4 ', '/a\\040b']);
  });

  it.each(Object.keys(shells))('looks at this machine with %s', (shell) => {
    const { exitStatus, stderr } = runProbe(kind, {}, shell);

    expect([0, 78]).toContain(exitStatus);
    if (exitStatus === 78) expect(String(stderr)).toBe('nothing is mounted from the network\n');
    const given = { paths: ['/no/such mount'] };

    expect(judgeOutput(kind, runProbe(kind, given, shell), given).reason).toBe('not-mounted');
    const proc = { types: ['proc'], paths: ['/proc'] };

    expect(judgeOutput(kind, runProbe(kind, proc, shell), proc)).toMatchObject({ outcome: 'ok' });
  });
});
