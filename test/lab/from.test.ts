import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { runOnLab, writeRunbook } from './run.js';

describeWith('checks from the other side', labNeeds, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['web'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  it('see what only the host can see, and what only the controller can', async () => {
    const host = lab.host('web');
    await host.must('sed -i "s/listen 80 /listen 127.0.0.1:80 /; /listen \\[/d" /etc/nginx/sites-enabled/default');
    await host.must('systemctl restart nginx');
    const steps = [
      { id: 'outside', uses: 'check.http', with: { url: `http://${host.address}/` } },
      { id: 'inside', uses: 'check.http', with: { url: 'http://localhost/', status: ['200-404'] }, from: 'host' },
      { id: 'port', uses: 'check.tcp', with: { port: 80 }, from: 'host' },
      { id: 'closed', uses: 'check.tcp', with: { port: 81 }, from: 'host' },
      { id: 'ssh', uses: 'check.ssh', from: 'host' },
      { id: 'ping', uses: 'check.ping', with: { address: host.address, count: 2 }, from: 'controller' },
    ];
    const run = await runOnLab(lab, writeRunbook(lab, 'from', steps));

    expect(steps.map(({ id }) => [id, run.outcome('web', id)])).toEqual([
      ['outside', 'failed connect-refused'],
      ['inside', 'ok ok'],
      ['port', 'ok ok'],
      ['closed', 'failed connect-refused'],
      ['ssh', 'ok ok'],
      ['ping', 'ok ok'],
    ]);
  });

  it('are unknown where sshd forwards nothing', async () => {
    const host = lab.host('web');
    await host.must('echo "AllowTcpForwarding no" >/etc/ssh/sshd_config.d/strict.conf && systemctl reload ssh');
    const run = await runOnLab(
      lab,
      writeRunbook(lab, 'strict', [{ id: 'port', uses: 'check.tcp', with: { port: 80 }, from: 'host' }]),
    );

    expect(run.outcome('web', 'port')).toBe('unknown connect-failed');
    expect(run.step('web', 'port').summary).toContain('forwards no connections');
  });

  it('of a host that cannot be reached are not asked', async () => {
    await lab.host('web').cutLink();
    const run = await runOnLab(
      lab,
      writeRunbook(lab, 'cut', [{ id: 'port', uses: 'check.tcp', with: { port: 80 }, from: 'host' }]),
    );

    expect(run.step('web', 'port').outcome).toBe('unreachable');
  });
});
