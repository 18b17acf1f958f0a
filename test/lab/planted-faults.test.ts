import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import {
  closePorts,
  crashLoop,
  failUnit,
  fillInodes,
  fillSpace,
  killMount,
  reviveMount,
  stopService,
} from './faults.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { eventually } from './process.js';
import { journalOf, type LabRun, look, runOnLab, writeRunbook } from './run.js';

describeWith('checks on hosts with planted faults', labNeeds, () => {
  let lab: Lab;
  let faulty: LabRun;

  const health = [
    { id: 'disks', uses: 'check.disk' },
    { id: 'units', uses: 'check.systemd' },
    { id: 'cron', uses: 'check.service', with: { name: 'cron' } },
    { id: 'nginx', uses: 'check.service', with: { name: 'nginx' } },
    { id: 'http', uses: 'check.port', with: { port: 80 } },
    look('hello', 'echo hello'),
  ];

  beforeAll(async () => {
    lab = await startLab({ hosts: ['good', 'disks', 'dead', 'units', 'web'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  it('proves a healthy fleet with exit 0', async () => {
    const run = await runOnLab(lab, writeRunbook(lab, 'healthy', health));

    for (const host of lab.hosts) expect(run.outcomes(host.name)).toEqual(health.map(() => 'ok ok'));
    expect(run.result.exit).toEqual({ code: 0, reasons: [] });
    expect(run.finished.code).toBe(0);
    expect(journalOf(lab, run.result.run.id).at(-1)?.type).toBe('run-end');
  });

  it('finds every fault, in bounded time, and nothing else', async () => {
    await fillSpace(lab.host('disks'));
    await fillInodes(lab.host('disks'));
    await killMount(lab.host('dead'));
    await failUnit(lab.host('units'));
    await crashLoop(lab.host('units'));
    await stopService(lab.host('units'), 'cron');
    await closePorts(lab.host('web'));

    faulty = await runOnLab(lab, writeRunbook(lab, 'faulty', health));

    const fine = { disks: 'ok ok', units: 'ok ok', cron: 'ok ok', nginx: 'ok ok', http: 'ok ok', hello: 'ok ok' };
    const seen = (host: string) => Object.fromEntries(health.map(({ id }) => [id, faulty.outcome(host, id)]));
    expect(seen('good')).toEqual(fine);
    expect(seen('disks')).toEqual({ ...fine, disks: 'failed above-critical' });
    expect(seen('dead')).toEqual({ ...fine, disks: 'unknown mount-hung' });
    expect(seen('units')).toEqual({ ...fine, units: 'failed unit-failed', cron: 'failed service-stopped' });
    expect(seen('web')).toEqual({ ...fine, nginx: 'failed service-stopped', http: 'failed port-closed' });
    expect(faulty.finished.seconds).toBeLessThan(60);
  });

  it('puts unknown before failed in the exit code', () => {
    expect(faulty.finished.code).toBe(3);
    expect(faulty.result.exit.reasons).toEqual([
      expect.objectContaining({ code: 3, reason: 'unknown', hosts: 1 }),
      expect.objectContaining({ code: 1, reason: 'failed', hosts: 3 }),
    ]);
  });

  it('names the full file system and the one without inodes', () => {
    const { findings } = faulty.step('disks', 'disks');

    expect(findings.map(({ id, subject }) => [id, subject])).toEqual([
      ['disk-space', '/srv/full'],
      ['disk-inodes', '/srv/inodes'],
    ]);
  });

  it('names the failed unit and the crash loop', () => {
    const { findings } = faulty.step('units', 'units');

    expect(findings.map(({ id, subject }) => [id, subject])).toEqual([
      ['unit-failed', 'broken.service'],
      ['crash-loop', 'flapping.service'],
    ]);
  });

  it('looks at certificates from the controller: valid, expired, nobody there', async () => {
    const tls = (id: string, port: number) => ({ id, uses: 'check.tls', with: { port, ca: lab.authority } });
    const runbook = writeRunbook(lab, 'certificates', [tls('valid', 443), tls('expired', 8443)]);

    const run = await runOnLab(lab, runbook, ['-l', 'good,web']);

    expect(run.outcomes('good')).toEqual(['ok ok', 'failed certificate-expired']);
    expect(run.outcomes('web')).toEqual(['failed connect-refused', 'failed connect-refused']);
    expect(run.finished.code).toBe(1);
  });

  it('gives up on a path that hangs, goes on, and leaves no process behind', async () => {
    const runbook = writeRunbook(lab, 'dead-path', [
      { id: 'path', uses: 'check.disk', with: { path: '/srv/dead' }, timeout: '3s' },
      look('hello', 'echo hello'),
    ]);

    const run = await runOnLab(lab, runbook, ['-l', 'dead']);

    expect(run.outcomes('dead')).toEqual(['unknown timeout', 'ok ok']);
    expect(run.finished.code).toBe(3);
    expect(run.finished.seconds).toBeLessThan(60);
    await reviveMount(lab.host('dead'));
    await eventually(
      'nothing of the run is left on the host',
      5,
      async () => (await lab.host('dead').exec("pgrep -u ops '^(sh|stat|sleep)$'")).stdout === '',
    );
  });

  it('fails alone with exit 1 when everything is known', async () => {
    const run = await runOnLab(lab, 'faulty.yaml', ['-l', 'good,web']);

    expect(run.finished.code).toBe(1);
  });
});
