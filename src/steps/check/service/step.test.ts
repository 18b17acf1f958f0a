import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, outputOf, runProbe, shells } from '../../../../test/support/probe.js';
import { readService } from './state.js';
import kind from './step.js';

const judge = (file: string, given: object = {}) =>
  judgeOutput(kind, fixture(`${file}.txt`, import.meta.url), { name: 'x', ...given });

const sysv = (status: number, enabled = 'enabled') =>
  `manager=sysv\nLoadState=loaded\nUnitFileState=${enabled}\nStatus=${status}\n`;

describe('check.service', () => {
  it.each([
    ['debian12-ssh', 'ok', 'ok', /^ssh\.service is running for /],
    ['debian12-broken', 'failed', 'service-failed', 'broken.service has failed (exit-code, status 1)'],
    ['debian12-nginx', 'failed', 'service-stopped', 'nginx.service is stopped'],
    ['debian12-once', 'ok', 'ok', 'once.service has run to its end'],
    ['debian12-echo', 'ok', 'ok', 'echo.service waits for echo.socket'],
    ['debian12-systemd-tmpfiles-clean', 'ok', 'ok', /waits for systemd-tmpfiles-clean\.timer$/],
    ['debian12-e2scrub_all.timer', 'failed', 'service-masked', 'e2scrub_all.timer is masked'],
    [
      'debian12-loop',
      'failed',
      'service-looping',
      /^loop\.service dies and is restarted \(exit-code, status 3, \d+ restarts\)$/,
    ],
    ['debian12-flap', 'failed', 'service-looping', /^flap\.service dies and is restarted \(\d+ restarts, the last a /],
    ['debian12-gone', 'ok', 'ok', /^gone\.service is running, but its unit file is gone, for /],
    [
      'debian12-oldie',
      'warning',
      'service-exited',
      'oldie.service counts as active, but none of its processes is left (type forking)',
    ],
  ] as const)('wants %s to run: %s', (file, outcome, reason, summary) => {
    const judgement = judge(file);

    expect(judgement).toMatchObject({ outcome, reason });
    if (typeof summary === 'string') expect(judgement.summary).toBe(summary);
    else expect(judgement.summary).toMatch(summary);
  });

  it('never calls a service that does not exist "stopped"', () => {
    expect(judge('debian12-nope', { name: 'nope' })).toMatchObject({ outcome: 'unknown', reason: 'service-not-found' });
    expect(judge('debian12-nope', { name: 'nope', state: 'stopped' }).outcome).toBe('unknown');
  });

  it.each([
    ['debian12-nginx', 'ok'],
    ['debian12-broken', 'ok'],
    ['debian12-e2scrub_all.timer', 'ok'],
    ['debian12-ssh', 'failed'],
    ['debian12-loop', 'failed'],
    ['debian12-echo', 'failed'],
  ])('wants %s to be stopped: %s', (file, outcome) => {
    expect(judge(file, { state: 'stopped' }).outcome).toBe(outcome);
  });

  it('tells enabled from disabled, and leaves static units alone', () => {
    expect(judge('debian12-ssh', { enabled: true }).outcome).toBe('ok');
    expect(judge('debian12-ssh', { enabled: false })).toMatchObject({ outcome: 'failed', reason: 'service-enabled' });
    expect(judge('debian12-once', { enabled: true }).outcome).toBe('ok');
    expect(judge('debian12-once', { enabled: false }).outcome).toBe('ok');
    expect(judgeOutput(kind, sysv(0, 'disabled'), { name: 'x', enabled: true }).reason).toBe('service-not-enabled');
  });

  it.each([
    ['debian12-rtonly', 'enabled-runtime'],
    ['debian12-linkme', 'linked'],
    ['debian12-oldie', 'disabled'],
    ['debian12-gone', 'gone'],
  ])('knows that %s is %s, which does not last beyond a restart', (file, enabled) => {
    expect(judge(file, { enabled: true })).toMatchObject({
      outcome: 'failed',
      reason: 'service-not-enabled',
      summary: expect.stringContaining(` is ${enabled}, should start with the system`),
    });
    expect(judge(file, { enabled: false }).reason).not.toBe('service-enabled');
  });

  it('lets a service that was restarted often and runs for a while be', () => {
    const calm = fixture('debian12-flap.txt', import.meta.url).replace(/^Uptime=.*$/m, 'Uptime=900000');

    expect(judgeOutput(kind, calm, { name: 'flap' })).toMatchObject({ outcome: 'ok' });
  });

  it('takes no pattern for a name: systemctl would show several units', () => {
    const properties = kind.params.properties as Readonly<Record<string, { readonly pattern?: string }>>;
    const name = new RegExp(properties.name?.pattern ?? 'x');

    for (const bad of ['ngin*', 'sshd?', '[a-z]d', '-.mount', 'a/b']) expect(bad).not.toMatch(name);
    for (const good of ['nginx', 'getty@tty1', 'dbus-org.freedesktop.login1', 'dev-disk-by\\x2duuid.swap'])
      expect(good).toMatch(name);
  });

  it.each([
    [0, 'ok', 'ok'],
    [1, 'failed', 'service-failed'],
    [3, 'failed', 'service-stopped'],
    [4, 'unknown', 'service-unknown'],
    [127, 'unknown', 'service-unknown'],
  ])('reads status %d of an init script', (status, outcome, reason) => {
    expect(judgeOutput(kind, sysv(status), { name: 'x' })).toMatchObject({ outcome, reason });
  });

  it.each([
    [0, 'running'],
    [3, 'stopped'],
    [8, 'starting'],
    [16, 'waiting'],
    [32, 'failed'],
    [1, 'unknown'],
  ])('reads status %d of OpenRC', (status, state) => {
    expect(readService(outputOf(sysv(status).replace('sysv', 'openrc'))).state).toBe(state);
  });

  it('knows a service that is starting, and one that cannot be loaded', () => {
    const unit = (rest: string) => judgeOutput(kind, `manager=systemd\nUptime=9\nId=a.service\n${rest}`, { name: 'a' });

    expect(unit('LoadState=loaded\nActiveState=activating\nSubState=start\n').reason).toBe('service-starting');
    expect(unit('LoadState=bad-setting\nActiveState=inactive\nSubState=dead\n').reason).toBe('service-failed');
  });

  it.each(['', 'manager=launchd\n', 'manager=systemd\nUptime=9\nLoadState=loaded\n'])(
    'does not understand %j',
    (said) => {
      expect(() => judgeOutput(kind, said, { name: 'x' })).toThrow();
    },
  );

  it('has a case for every host that was recorded', () => {
    expect(readdirSync(new URL('./fixtures', import.meta.url)).filter((file) => file.endsWith('.txt'))).toHaveLength(
      14,
    );
  });

  it.each(Object.keys(shells))('leaves out hosts that another manager looks after, with %s', (shell) => {
    const there = existsSync('/run/systemd/system') ? 'openrc' : 'systemd';
    const output = runProbe(kind, { name: 'cron', manager: there }, shell);

    expect(output.exitStatus).toBe(78);
    expect(String(output.stderr)).toBe(`services are not looked after by ${there}\n`);
  });
});
