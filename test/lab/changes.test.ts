import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { eventually } from './process.js';
import { change, journalOf, look, readRun, runOnLab, startOnLab, writeRunbook } from './run.js';

describeWith('changing steps on hosts that get lost', labNeeds, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ hosts: ['good', 'cut', 'booted', 'left'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  /** How often the change began and ended on a host. */
  const counted = async (host: string) =>
    (await lab.host(host).must('cd /home/ops && touch begun ended && wc -l <begun && wc -l <ended'))
      .split('\n')
      .map(Number);
  const work = 'echo . >>/home/ops/begun; sleep 8; echo . >>/home/ops/ended';

  it('runs each change at most once, and resume tells how it ended', async () => {
    const runbook = writeRunbook(lab, 'change', [change('work', work), look('after', 'echo after')]);
    const started = startOnLab(lab, runbook, ['-l', 'good,cut,booted', '-y']);
    await eventually('the change has begun everywhere', 20, async () =>
      (
        await Promise.all(['good', 'cut', 'booted'].map((name) => lab.host(name).exec('test -e /home/ops/begun')))
      ).every(({ code }) => code === 0),
    );

    await lab.host('cut').cutLink();
    await lab.host('booted').reboot();
    const run = readRun(await started.finished);
    await lab.host('cut').restoreLink();
    await lab.host('booted').waitUntilUp();

    expect(run.outcomes('good')).toEqual(['changed changed', 'ok ok']);
    expect(run.step('cut', 'work').outcome).toBe('unknown');
    expect(run.step('booted', 'work').outcome).toBe('unknown');
    expect(run.finished.code).toBe(3);
    expect(run.finished.seconds).toBeLessThan(45);
    expect(journalOf(lab, run.result.run.id).at(-1)?.type).toBe('run-end');

    const resumed = readRun(await lab.opsctl(['resume', run.result.run.id, '-o', 'json']));

    expect(resumed.outcomes('good')).toEqual(['changed changed', 'ok ok']);
    expect(resumed.outcomes('cut')).toEqual(['changed changed', 'ok ok']);
    expect(resumed.outcome('booted', 'work')).toBe('unknown interrupted');
    expect(resumed.finished.code).toBe(3);
    expect(await counted('good')).toEqual([1, 1]);
    expect(await counted('cut')).toEqual([1, 1]);
    expect(await counted('booted')).toEqual([1, 0]);
  });

  it('lets the change go on when opsctl is killed, and resume fetches it', async () => {
    const runbook = writeRunbook(lab, 'killed', [change('work', work)]);
    const started = startOnLab(lab, runbook, ['-l', 'left', '-y']);
    await eventually(
      'the change has begun',
      20,
      async () => (await lab.host('left').exec('test -e /home/ops/begun')).code === 0,
    );

    process.kill(started.pid, 'SIGKILL');
    const killed = await started.finished;
    const runs = await lab.opsctl(['runs']);
    const id = /^\S*\d{8}\S*/m.exec(runs.stdout)?.[0] ?? '';
    const resumed = readRun(await lab.opsctl(['resume', id, '-o', 'json']));

    expect(killed.signal).toBe('SIGKILL');
    expect(resumed.outcome('left', 'work')).toBe('changed changed');
    expect(resumed.finished.code).toBe(0);
    expect(await counted('left')).toEqual([1, 1]);
  });

  it('never lets two runs change one host at once', async () => {
    const runbook = writeRunbook(lab, 'twice', [
      change('work', 'echo . >>/home/ops/both; until [ -e /home/ops/go ]; do sleep 0.1; done'),
    ]);
    const first = startOnLab(lab, runbook, ['-l', 'good', '-y']);
    await eventually(
      'the first change has begun',
      20,
      async () => (await lab.host('good').exec('test -e /home/ops/both')).code === 0,
    );

    const second = await runOnLab(lab, runbook, ['-l', 'good', '-y']);
    await lab.host('good').must('touch /home/ops/go');
    const done = readRun(await first.finished);

    expect(second.outcome('good', 'work')).toBe('skipped locked');
    expect(second.finished.code).toBe(75);
    expect(done.outcome('good', 'work')).toBe('changed changed');
    expect(await lab.host('good').must('wc -l </home/ops/both')).toBe('1');
  });
});
