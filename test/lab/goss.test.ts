import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GossData } from '../../src/steps/check/goss/step.js';
import { describeWith } from '../support/needs.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { runOnLab, writeRunbook } from './run.js';

describeWith('check.goss on systemd hosts', labNeeds, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['good', 'broken'] });
    cpSync(join(import.meta.dirname, '../../docs/goss'), join(lab.folder, 'project/goss'), { recursive: true });
  }, 300_000);
  afterAll(() => lab?.stop());

  it('passes the shipped example, and finds each planted fault on the other host', async () => {
    await lab
      .host('broken')
      .must(
        'systemctl stop cron; systemctl disable cron; chmod 600 /etc/shadow; echo "PermitRootLogin yes" >>/etc/ssh/sshd_config',
      );

    const result = await runOnLab(lab, 'goss/runbook.yaml');

    expect(result.step('good', 'goss')).toMatchObject({ outcome: 'ok', reason: 'ok', findings: [] });
    expect(result.step('broken', 'goss').findings).toMatchObject([
      { id: 'goss-service', subject: 'cron enabled', detail: 'is false, should be true' },
      { id: 'goss-service', subject: 'cron running', detail: 'is false, should be true' },
      {
        id: 'goss-file',
        subject: '/etc/ssh/sshd_config contents',
        detail: String.raw`a line matches "!/^\\s*PermitRootLogin\\s+yes/"`,
      },
      { id: 'goss-file', subject: '/etc/shadow mode', detail: 'is "0600", should be "0640"' },
    ]);
  });

  it('is unknown about what only root may see', async () => {
    const goss = { file: { '/etc/shadow': { exists: true, mode: '0640', contents: ['/^root:/'] } } };
    writeFileSync(join(lab.folder, 'project/shadow.json'), JSON.stringify(goss));
    const plain = { id: 'plain', uses: 'check.goss', with: { file: 'shadow.json' } };

    const result = await runOnLab(lab, writeRunbook(lab, 'plain', [plain]), ['--hosts', 'good']);
    const { tests } = result.step('good', 'plain').data as GossData;

    expect(result.outcome('good', 'plain')).toBe('unknown goss-unknown');
    expect(tests.filter(({ outcome }) => outcome !== 'passed')).toEqual([
      {
        type: 'file',
        id: '/etc/shadow',
        attribute: 'contents',
        outcome: 'unknown',
        detail: 'no permission to read /etc/shadow',
      },
    ]);
  });

  it('knows services that are not there, and that systemd has no run levels', async () => {
    const goss = {
      service: {
        ssh: { enabled: true, running: true },
        nosuch: { enabled: false, running: false },
        dbus: { enabled: true, running: true, runlevels: ['3'] },
      },
    };
    writeFileSync(join(lab.folder, 'project/services.json'), JSON.stringify(goss));
    const services = { id: 'services', uses: 'check.goss', with: { file: 'services.json' } };

    const result = await runOnLab(lab, writeRunbook(lab, 'services', [services]), ['--hosts', 'good']);
    const { tests } = result.step('good', 'services').data as GossData;

    expect(tests.map(({ id, attribute, outcome }) => `${id} ${attribute} ${outcome}`)).toEqual([
      'ssh enabled passed',
      'ssh running passed',
      'nosuch enabled passed',
      'nosuch running passed',
      'dbus enabled passed',
      'dbus running passed',
      'dbus runlevels unknown',
    ]);
  });
});
