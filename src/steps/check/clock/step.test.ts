import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells } from '../../../../test/support/probe.js';
import { readClock } from './answers.js';
import kind from './step.js';

const chrony = (offset: string, reference = '990.5') =>
  `chrony\tC0000201,ntp.example.com,3,${reference},${offset},0.0,0.0,-4.1,0.0,0.1,0.01,0.001,64.2,Normal\nnow\t1000\n`;

describe('check.clock', () => {
  it.each([
    ['debian12-chrony', 'not-synchronised', 'the clock follows no source but itself (chrony)'],
    ['debian12-ntpsec-local', 'not-synchronised', 'the clock follows no source but itself (ntpd)'],
    ['debian12-ntpsec-no-source', 'not-synchronised', 'the clock is not synchronised (ntpd)'],
    ['debian12-chrony-no-source', 'not-synchronised', 'the clock is not synchronised (chrony)'],
    [
      'debian12-timesyncd',
      'ok',
      /^the clock is synchronised with 127\.0\.0\.1 \(127\.0\.0\.1\), [\d.]+ ms off \(systemd-timesyncd\)$/,
    ],
  ] as const)('reads %s', (file, reason, summary) => {
    const judgement = judgeOutput(kind, fixture(`${file}.txt`, import.meta.url));

    expect(judgement.reason).toBe(reason);
    if (typeof summary === 'string') expect(judgement.summary).toBe(summary);
    else expect(judgement.summary).toMatch(summary);
  });

  it('warns and fails when the clock is off, to either side', () => {
    expect(judgeOutput(kind, chrony('0.05')).outcome).toBe('ok');
    expect(judgeOutput(kind, chrony('-0.25'))).toMatchObject({
      outcome: 'warning',
      summary: 'the clock is 250 ms off (chrony), limit 100 ms',
    });
    expect(judgeOutput(kind, chrony('2.5'))).toMatchObject({ outcome: 'failed', reason: 'above-critical' });
  });

  it('warns when the source has not been heard for long', () => {
    expect(judgeOutput(kind, chrony('0.0', '-20000'))).toMatchObject({
      outcome: 'warning',
      summary: 'the clock was last compared 5.83 h ago (chrony), limit 3 h',
    });
  });

  it('fails when the service is installed and does not run', () => {
    expect(judgeOutput(kind, 'stopped\tchrony\n')).toMatchObject({ outcome: 'failed', reason: 'time-service-stopped' });
  });

  it('reads ntpd, whose offset is in milliseconds', () => {
    const said = (leap: string) => outputOf(`ntpd\tleap=${leap}, stratum=2, offset=-12.5, refid=192.0.2.7 \n`);

    expect(readClock(said('00'))).toMatchObject({ synchronised: true, offset: 0.0125, source: '192.0.2.7' });
    expect(readClock(said('11'))).toMatchObject({ synchronised: false, offset: null });
  });

  it('reads when ntpd last set the clock, as ntpsec and ntp 4.2 write it', () => {
    const local = fixture('debian12-ntpsec-local.txt', import.meta.url);
    const classic =
      'ntpd\tleap=00, stratum=2, offset=0.1, refid=192.0.2.7, reftime=e9e8f3a2.1234abcd  Tue, May 14 2024 10:20:34.071, clock=e9e9f3a2.00000000  Wed, May 15 2024  4:32:50.000 \n';

    expect(readClock(outputOf(local)).age).toBe(39);
    expect(judgeOutput(kind, classic)).toMatchObject({
      outcome: 'warning',
      summary: 'the clock was last compared 18.2 h ago (ntpd), limit 3 h',
    });
  });

  it.each([
    ['+3us', 3e-6],
    ['-1.204ms', 0.001204],
    ['+1min 2.5s', 62.5],
    ['0', 0],
  ])('reads %s of systemd', (offset, seconds) => {
    const said = `timesyncd\t900\nnow\t1000\nOffset\t${offset}\nStratum\t2\n`;

    expect(readClock(outputOf(said)).offset).toBeCloseTo(seconds, 9);
  });

  it.each([
    ['has no answer yet', 'timesyncd\t900\nnow\t1000\n'],
    ['has not set the clock yet', 'timesyncd\t\nnow\t1000\nOffset\t+1ms\n'],
  ])('does not call a clock synchronised when timesyncd %s', (_, said) => {
    expect(judgeOutput(kind, said).reason).toBe('not-synchronised');
  });

  it.each(['', 'chrony\tx,y\nnow\t1\n', 'ntpd\toffset=1\n', 'timesyncd\t9\nnow\t9\nOffset\t5 parsecs\n'])(
    'does not take %j for an answer',
    (said) => {
      expect(() => judgeOutput(kind, said)).toThrow();
    },
  );

  it('knows the local clock of ntp 4.2', () => {
    const said = 'ntpd\tleap=00, stratum=6, offset=0.0, refid=LOCAL(0) \n';

    expect(judgeOutput(kind, said)).toMatchObject({ outcome: 'failed', reason: 'not-synchronised' });
  });

  it.each(Object.keys(shells))('asks this machine, or says that there is no service, with %s', (shell) => {
    const output = runProbe(kind, {}, shell);

    expect([0, 69, 78]).toContain(output.exitStatus);
    if (output.exitStatus === 0) expect(readClock(output).service).not.toBe('');
    else expect(String(output.stderr)).toMatch(/^no time service/);
  });
});
