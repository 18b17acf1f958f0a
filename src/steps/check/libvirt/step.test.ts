import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const said = fixture('debian12.txt', import.meta.url);
const autostart = said.replace('== autostart\n\n', '== autostart\nweb\noff\n\n');
const judge = (given: object = {}, output = said) => judgeOutput(kind, output, given);

describe('check.libvirt', () => {
  it.each([
    [{ name: 'web' }, 'ok', 'web is running'],
    [{ name: 'off' }, 'wrong-state', 'off is shut-off, should be running'],
    [{ name: 'off', state: 'shut-off' }, 'ok', 'off is shut-off'],
    [{ name: 'held' }, 'wrong-state', 'held is paused, should be running'],
    [{ name: 'held', state: 'paused' }, 'ok', 'held is paused'],
    [{ name: 'my vm' }, 'wrong-state', 'my vm is crashed, should be running'],
    [{ name: 'we' }, 'no-domain', 'qemu:///system has no domain we'],
    [{ name: 'we', state: 'absent' }, 'ok', 'qemu:///system has no domain we'],
    [{ name: 'web', state: 'absent' }, 'domain-present', 'qemu:///system has the domain web, should not'],
    [{ name: 'web', autostart: true }, 'no-autostart', 'web does not start with the host'],
    [{ name: 'web', autostart: false }, 'ok', 'web is running'],
    [{}, 'crashed', 'my vm is crashed'],
    [{ state: 'running' }, 'wrong-state', /^held is paused, should be running; my vm .*; off is shut-off/],
  ])('judges domains with %j: %s', (given, reason, summary) => {
    expect(judge(given)).toMatchObject({
      reason,
      summary: typeof summary === 'string' ? summary : expect.stringMatching(summary),
    });
  });

  it('wants what starts with the host to run', () => {
    expect(judge({}, autostart).summary).toBe('my vm is crashed; off is shut-off, should be running');
    expect(judge({ name: 'web', autostart: true }, autostart)).toMatchObject({
      outcome: 'ok',
      summary: 'web is running, starts with the host',
    });
    expect(judge({ name: 'web', autostart: false }, autostart).reason).toBe('autostart');
  });

  it('counts what runs', () => {
    const calm = said.replace('state.state=6', 'state.state=5');

    expect(judge({ count: '1:' }, calm)).toMatchObject({
      outcome: 'ok',
      summary: '1 of 4 domains run',
      metrics: [{ name: 'running', value: 1, unit: 'count', critical: '1:' }],
    });
    expect(judge({ count: '2:' }, calm).summary).toBe('1 of 4 domains run, at least 2');
  });

  it('knows nothing of a hypervisor without domains', () => {
    expect(judge({}, '== autostart\n\n== state\n\n== end\n')).toMatchObject({
      outcome: 'unknown',
      reason: 'nothing-found',
    });
  });

  it.each([
    '',
    said.replace('== end\n', ''),
    said.replace('state.state=1', 'state.state=99'),
    said.replace("'web'", 'web'),
  ])('does not take %j for an answer', (output) => {
    expect(() => judge({}, output)).toThrow();
  });

  it('refuses what makes no sense', () => {
    const problems = (given: object) => kind.validate?.(withDefaults(kind, given)) ?? [];

    expect(problems({ state: 'absent' })).toMatchObject([{ path: ['state'] }]);
    expect(problems({ name: 'a', count: 1 })).toMatchObject([{ path: ['count'] }]);
    expect(problems({ count: '3:1' })).toMatchObject([{ path: ['count'] }]);
  });

  it('says when there is no virsh', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', kind.probe.text, 'sh', 'test:///default'], {
      env: { PATH: '/none' },
    });

    expect({ status, said: stderr.toString() }).toEqual({ status: 127, said: 'virsh is not installed\n' });
  });
});

it('check.libvirt tells that a login is missing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-virsh-'));
  const trouble =
    'error: failed to connect to the hypervisor\nerror: authentication unavailable: no polkit agent available';
  writeFileSync(join(folder, 'virsh'), `#!/bin/sh\necho '${trouble}' >&2\nexit 1\n`, { mode: 0o755 });

  const { status, stderr } = spawnSync('/bin/sh', ['-c', kind.probe.text, 'sh', 'qemu:///system'], {
    env: { PATH: folder },
  });
  rmSync(folder, { recursive: true });

  expect({ status, said: stderr.toString() }).toEqual({ status: 77, said: `${trouble.split('\n')[1]}\n` });
});

describeWith('check.libvirt with the test driver of libvirt', ['virsh', 'dash', 'bash', 'busybox'], () => {
  const uri = `test://${fileURLToPath(new URL('./fixtures/node.xml', import.meta.url))}`;

  it.each(Object.keys(shells))('reads domains with %s', (shell) => {
    const reason = (given: object) =>
      judgeOutput(kind, runProbe(kind, { uri, ...given }, shell), { uri, ...given }).reason;

    expect(reason({ name: 'web' })).toBe('ok');
    expect(reason({ name: 'my vm' })).toBe('wrong-state');
    expect(reason({ name: 'off', state: 'shut-off' })).toBe('ok');
    expect(reason({})).toBe('crashed');
  });

  it.each(Object.keys(shells))('tells a hypervisor that does not answer, with %s', (shell) => {
    const { exitStatus, stderr } = runProbe(kind, { uri: 'qemu+unix:///system?socket=/no/such/socket' }, shell);

    expect(exitStatus).toBe(69);
    expect(stderr.toString()).toMatch(/^error: Failed to connect socket to '\/no\/such\/socket'.*\n$/);
  });
});
