import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, say, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('run.facts', () => {
  it.each(Object.keys(shells))('tells what the host is, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);
    const { values, unknown } = kind.parse(output, withDefaults(kind));

    expect(values).toMatchObject({ kernel: say('uname', '-r').trim(), architecture: say('uname', '-m').trim() });
    expect(values.users).toMatch(/^root:0:0:\/root:/m);
    expect(values.packages).toMatch(/^bash \d/m);
    expect(values.groups).not.toContain(':x:');
    expect(Object.keys({ ...values, ...unknown }).length).toBeGreaterThan(15);
  });

  it('says the same in every shell', () => {
    const all = () => Object.keys(shells).map((shell) => String(runProbe(kind, {}, shell).stdout));
    let [first, ...others] = all();
    // Users and mounts of this machine may come and go meanwhile.
    for (let tries = 0; tries < 10 && others.some((other) => other !== first); tries += 1) [first, ...others] = all();
    for (const other of others) expect(other).toBe(first);
  });

  it('reads what a Debian 12 host printed', () => {
    const facts = ['os', 'kernel', 'modules', 'dns', 'sshd'];
    const data = kind.parse(outputOf(fixture('debian-12.txt', import.meta.url)), { facts } as never);

    expect(data.values).toMatchObject({ os: 'Debian GNU/Linux 12 (bookworm)' });
    expect(data.values.sshd?.split('\n').length).toBeGreaterThan(50);
    expect(data.unknown).toEqual({ modules: 'is not known on this host' });
  });

  it('reads what a host of rpm, and one of busybox alone, printed', () => {
    const parse = (name: string, facts: readonly string[]) =>
      kind.parse(outputOf(fixture(name, import.meta.url)), { facts } as never);

    expect(parse('rpm-4.20.txt', ['os', 'packages', 'init']).values.packages).toBe(
      'app.noarch 1-1\nheld.noarch 2:1-1\nlib.noarch 1.0~rc1-1',
    );
    const bare = parse('busybox-1.35.txt', ['os', 'kernel', 'shell', 'packages', 'services']);
    expect(Object.keys(bare.values)).toEqual(['kernel', 'shell']);
    expect(Object.keys(bare.unknown)).toEqual(['os', 'packages', 'services']);
  });

  it('is unknown when what was asked for by name is not known, and leaves it out otherwise', () => {
    const output = 'fact os\n\tDebian\nstatus os 0\nfact sshd\nstatus sshd 77\n';
    expect(judgeOutput(kind, output, { facts: ['os', 'sshd'] })).toMatchObject({
      outcome: 'unknown',
      summary: 'sshd needs root',
    });
    expect(
      kind.judge(kind.parse(outputOf(output), { facts: ['os'] }), {}, { host: 'a', now: new Date() }),
    ).toMatchObject({
      outcome: 'ok',
      summary: 'Debian',
    });
  });

  it('cannot read what is not its own output', () => {
    expect(() => judgeOutput(kind, 'nonsense', { facts: ['os'] })).toThrow();
    expect(() => judgeOutput(kind, { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitStatus: 2 })).toThrow();
  });
});
