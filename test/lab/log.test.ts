import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { look, runOnLab, writeRunbook } from './run.js';

describeWith('check.log on systemd hosts', labNeeds, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['web'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  const journal = (id: string, more: object) => ({
    id,
    uses: 'check.log',
    with: { journal: true, ...more },
    sudo: true,
  });
  const steps = [
    journal('errors', { priority: 'err', ignore: ['boring', '^pam_env'] }),
    journal('unit', { unit: 'shouter.service', pattern: ['^disaster [0-9]+'] }),
    journal('misspelt', { unit: 'shuoter.service' }),
    { ...journal('closed', { priority: 'err' }), sudo: false },
    {
      id: 'file',
      uses: 'check.log',
      with: { path: '/var/log/shop.log', pattern: ['ERROR'] },
      sudo: true,
    },
    look('hello', 'echo hello'),
  ];

  it('tells each new message once, and nothing of what it cannot see', async () => {
    const host = lab.host('web');
    const runbook = writeRunbook(lab, 'log', steps);
    await host.must('echo start >/var/log/shop.log; logger -p user.err "an old error"');
    await host.must('systemd-run --unit=shouter --wait true');
    const first = await runOnLab(lab, runbook);
    expect(first.step('web', 'misspelt')).toMatchObject({
      outcome: 'unknown',
      summary: expect.stringContaining('there is no unit shuoter.service, nor a message of it'),
    });
    expect(['errors', 'unit', 'closed', 'file'].map((id) => first.outcome('web', id))).toEqual([
      'skipped first-look',
      'skipped first-look',
      'unknown needs-privilege',
      'skipped first-look',
    ]);

    await host.must(
      'logger -p user.err "a new error"; logger -p user.err "a boring error"; logger -p user.info "fine"',
    );
    await host.must('systemd-run --unit=shouter --wait sh -c "echo all fine; echo disaster 12; echo disaster"');
    await host.must(
      'echo "ERROR one" >>/var/log/shop.log; mv /var/log/shop.log /var/log/shop.log.1; echo "ERROR two" >/var/log/shop.log',
    );
    const second = await runOnLab(lab, runbook);
    expect(second.step('web', 'errors')).toMatchObject({
      outcome: 'failed',
      summary: 'the journal: 1 line since the last look: a new error, limit 0',
    });
    expect(second.step('web', 'unit')).toMatchObject({
      outcome: 'failed',
      summary: 'shouter.service: 1 matching line since the last look: disaster 12, limit 0',
    });
    expect(second.step('web', 'file')).toMatchObject({ outcome: 'failed', data: { count: 2 } });

    const third = await runOnLab(lab, runbook);
    expect(['errors', 'unit', 'closed', 'file'].map((id) => third.outcome('web', id))).toEqual([
      'ok ok',
      'ok ok',
      'unknown needs-privilege',
      'ok ok',
    ]);
  });

  it('does not call it ok when the journal has dropped what came after the last look', async () => {
    const host = lab.host('web');
    const runbook = writeRunbook(lab, 'vacuum', [steps[0] as (typeof steps)[number]]);
    await runOnLab(lab, runbook);
    await host.must('logger -p user.err "lost"; journalctl --sync; journalctl --rotate; journalctl --vacuum-size=1');
    const run = await runOnLab(lab, runbook);
    expect(run.outcome('web', 'errors')).toBe('unknown gap');
    expect((await runOnLab(lab, runbook)).outcome('web', 'errors')).toBe('ok ok');
  });
});
