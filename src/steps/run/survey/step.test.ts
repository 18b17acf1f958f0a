import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, say, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

describe('run.survey', () => {
  it.each(Object.keys(shells))('tells who is here and what the host is called, with %s', (shell) => {
    const data = kind.parse(runProbe(kind, {}, shell), withDefaults(kind));

    expect(data.uid).toEqual([say('id', '-u').trim()]);
    expect(data.hostname).toContain(say('uname', '-n').trim());
    expect(data.user?.join('\n')).toMatch(/^root:0:\/root:\/bin\/\w+$/m);
    expect(data.interface?.join('\n')).toMatch(/^\S+ virtual lo$/m);
    expect(data.parameter).toContain(
      `kernel.randomize_va_space ${say('cat', '/proc/sys/kernel/randomize_va_space').trim()}`,
    );
  });

  it('says the same in every shell', () => {
    // Other tests open ports and add users on this machine meanwhile.
    const lasting = /^(?:uid|hostname|system|manager|script|fstab|setting|parameter|certificate|cron|end)\t/;
    const [first, ...others] = Object.keys(shells).map((shell) =>
      String(runProbe(kind, {}, shell).stdout)
        .split('\n')
        .filter((line) => lasting.test(line)),
    );
    expect(first?.length).toBeGreaterThan(5);
    for (const other of others) expect(other).toEqual(first);
  });

  // A lab host, looked at as root through ssh.
  it('reads what a Debian 12 host printed', () => {
    const data = kind.parse(outputOf(fixture('debian-12.txt', import.meta.url)), {});

    expect(data.manager).toEqual(['systemd']);
    expect(data.process).toContain('tcp 80 /usr/sbin/nginx nginx');
    expect(data.owner).toContain('openssh-server /usr/sbin/sshd');
    expect(data.certificate).toEqual(['/etc/nginx/lab/expired.crt', '/etc/nginx/lab/valid.crt']);
    expect(data.unit).toContain('ExecStart=/usr/sbin/nginx');
    expect(data).not.toHaveProperty('fstab');
  });

  it('takes no survey for whole that was cut off', () => {
    expect(() => judgeOutput(kind, 'uid\t0\nuser\troot:0:/root:/bin/sh\n')).toThrow('cut off');
    expect(judgeOutput(kind, 'uid\t0\nend\t\n')).toMatchObject({ outcome: 'ok', summary: '1 subjects' });
  });

  it('keeps names that mean something to JavaScript apart', () => {
    const data = kind.parse(outputOf('__proto__\tx\nconstructor\ty\nend\t\n'), {});
    expect(Object.hasOwn(data, 'constructor')).toBe(true);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });
});
