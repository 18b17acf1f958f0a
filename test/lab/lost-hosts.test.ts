import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { eventually } from './process.js';
import { type LabRun, look, readRun, runOnLab, startOnLab, writeRunbook } from './run.js';

/** Keepalives notice a dead peer within 20 s; the rest is for a busy machine. */
const noticeSeconds = 20 + 25;

describeWith('hosts that get lost', labNeeds, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ hosts: ['good', 'cut', 'frozen', 'booted', 'flap'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  const marked = async (host: string) => (await lab.host(host).exec('test -e /tmp/begun')).code === 0;

  it('calls what was running on a lost host unknown, and finishes the others', async () => {
    const runbook = writeRunbook(lab, 'lost', [
      look('before', 'echo before'),
      look('slow', 'touch /tmp/begun; sleep 14; echo slow'),
      look('after', 'echo after'),
    ]);
    const started = startOnLab(lab, runbook);
    await eventually('the slow step has begun everywhere', 20, async () =>
      (await Promise.all(lab.hosts.map(({ name }) => marked(name)))).every(Boolean),
    );

    const began = performance.now();
    await Promise.all([
      lab.host('cut').cutLink(),
      lab.host('frozen').freezeSshd({ sessions: true }),
      lab.host('booted').reboot({ stayDown: true }),
      lab.host('flap').cutLink(),
    ]);
    setTimeout(() => void lab.host('flap').restoreLink(), 6000);
    const run = readRun(await started.finished);
    const seconds = (performance.now() - began) / 1000;

    expect(run.outcomes('good')).toEqual(['ok ok', 'ok ok', 'ok ok']);
    expect(run.outcomes('flap')).toEqual(['ok ok', 'ok ok', 'ok ok']);
    for (const lost of ['cut', 'frozen', 'booted']) {
      expect(run.outcome(lost, 'before')).toBe('ok ok');
      expect(run.step(lost, 'slow').outcome).toBe('unknown');
      expect(['unknown', 'unreachable']).toContain(run.step(lost, 'after').outcome);
    }
    expect(run.finished.code).toBe(3);
    expect(seconds).toBeLessThan(noticeSeconds);

    await lab.host('cut').restoreLink();
    await lab.host('frozen').thawSshd();
    await lab.host('booted').comeBack();
  });

  it('tells hosts that cannot be used apart, each within its bound', async () => {
    await Promise.all([
      lab.host('cut').cutLink(),
      lab.host('frozen').freezeSshd(),
      lab.host('booted').changeHostKey(),
      lab.host('flap').must('systemctl stop ssh'),
    ]);
    const runbook = writeRunbook(lab, 'hello', [look('hello', 'echo hello')]);

    const all = await runOnLab(lab, runbook);
    const refused = await runOnLab(lab, runbook, ['-l', 'good,booted']);
    const unreachable = await runOnLab(lab, runbook, ['-l', 'good,flap']);

    const outcomes = (run: LabRun) =>
      Object.fromEntries(run.result.hosts.map(({ name }) => [name, run.outcome(name, 'hello')]));
    expect(outcomes(all)).toEqual({
      good: 'ok ok',
      cut: 'unreachable connect-timeout',
      frozen: 'unreachable banner-timeout',
      booted: 'refused host-key-mismatch',
      flap: 'unreachable connect-refused',
    });
    expect(all.finished.code).toBe(5);
    expect(all.finished.seconds).toBeLessThan(noticeSeconds);
    expect(refused.finished.code).toBe(5);
    expect(unreachable.finished.code).toBe(4);

    await Promise.all([
      lab.host('cut').restoreLink(),
      lab.host('frozen').thawSshd(),
      lab.host('flap').must('systemctl start ssh'),
    ]);
  });
});
