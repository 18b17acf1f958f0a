import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/execute/events.js';
import { createProgress, type ProgressKind, progressKind } from '../../src/progress/progress.js';
import { describeWith } from '../support/needs.js';
import { startedAt as at, stepResult } from '../support/results.js';
import { runnerCommands } from '../support/runner.js';
import { type FakeTerminalOptions, fakeTerminal } from '../support/terminal.js';

const repository = new URL('../..', import.meta.url).pathname;

function start(hosts: readonly string[]): RunEvent {
  return {
    type: 'run-start',
    at,
    run: { id: 'run-1', runbook: 'Host health', mode: 'run', startedAt: at, version: '0' },
    hosts: hosts.map((name) => ({ name, address: name, transport: 'ssh', steps: 2 })),
  };
}

function hostEvents(host: string, summary: string): readonly RunEvent[] {
  return [
    { type: 'host-connect', at, host },
    { type: 'host-connected', at, host, hostKeys: [] },
    { type: 'step-start', at, host, step: 'disk', name: 'Disk space', effect: 'read' },
    { type: 'step-end', at, host, result: stepResult({ outcome: 'failed', summary }) },
    { type: 'step-start', at, host, step: 'load', name: 'Load', effect: 'read' },
    { type: 'step-end', at, host, result: stepResult({ step: 'load', name: 'Load' }) },
    { type: 'host-end', at, host, outcome: 'failed' },
  ];
}

async function show(kind: ProgressKind, events: readonly RunEvent[], options: FakeTerminalOptions = {}) {
  const terminal = fakeTerminal({ stderrIsTty: kind === 'live', ...options });
  const progress = createProgress({ terminal, kind });
  for (const event of events) progress.onEvent(event);
  // Let the view open and draw at least one frame.
  if (kind === 'live') await new Promise((resolve) => setTimeout(resolve, 1500));
  await progress.finish();
  return terminal;
}

const end: RunEvent = { type: 'run-end', at, duration: 12.4 };

describe('plain progress', () => {
  it('writes a line for the start, each failure, each host and the end, with absolute times', async () => {
    const unreachable: RunEvent = {
      type: 'host-end',
      at,
      host: 'web2',
      outcome: 'unreachable',
      reason: 'connect-timeout',
      summary: 'no answer within 5 s',
    };
    const terminal = await show('plain', [
      start(['web1', 'web2']),
      ...hostEvents('web1', '/ is full'),
      unreachable,
      end,
    ]);

    expect(terminal.stderr()).toBe(
      [
        '2026-03-02 04:05:06Z start       Host health on 2 hosts, run run-1',
        '2026-03-02 04:05:06Z failed      web1  Disk space: / is full',
        '2026-03-02 04:05:06Z done        web1  failed  (1 of 2)',
        '2026-03-02 04:05:06Z unreachable web2  no answer within 5 s',
        '2026-03-02 04:05:06Z done        web2  unreachable  (2 of 2)',
        '2026-03-02 04:05:06Z end         2 hosts: 1 failed, 1 unreachable in 12.4 s',
        '',
      ].join('\n'),
    );
    expect(terminal.stdout()).toBe('');
  });

  it('tells at once that the run stops, and that a second signal does not wait', async () => {
    const terminal = fakeTerminal();
    const progress = createProgress({ terminal, kind: 'plain', now: () => Date.parse(at) });
    progress.onEvent(start(['web1']));
    progress.stopping('SIGINT');
    await progress.finish();

    expect(terminal.stderr().split('\n')[1]).toBe(
      '2026-03-02 04:05:06Z stopping    SIGINT: ending what runs; once more to end at once, then `opsctl resume`',
    );
  });

  it('shows nothing of a host that drives a terminal or a runner', async () => {
    const hostile = '\u001b]0;x\u0007\r::error::x ##[add-mask]a\n::error::y';
    const terminal = await show('plain', [start(['web1']), ...hostEvents('web1', hostile), end]);

    expect(terminal.stderr()).not.toContain('\u001b');
    expect(runnerCommands(terminal.stderr())).toEqual([]);
  });
});

describe('ndjson progress', () => {
  it('writes every event', async () => {
    const events = [start(['web1']), ...hostEvents('web1', 'full'), end];
    const terminal = await show('ndjson', events);

    expect(
      terminal
        .stderr()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
  });
});

describe('no progress', () => {
  it('writes nothing', async () => {
    expect((await show('none', [start(['web1']), ...hostEvents('web1', 'full'), end])).stderr()).toBe('');
  });
});

describe('live progress', () => {
  it.each([1, 2])('keeps the failures of %i hosts and takes the rest off the screen', async (hosts) => {
    const names = Array.from({ length: hosts }, (_, index) => `web${index + 1}`);
    const events = [start(names), ...names.flatMap((name) => hostEvents(name, '/ is full \u001b[2J')), end];
    const terminal = await show('live', events);

    for (const name of names)
      expect(terminal.stderr()).toContain(`failed      ${name}  Disk space: / is full \\x1b[2J`);
    expect(terminal.stderr()).not.toContain('\u001b[2J');
    expect(terminal.stderr()).not.toContain('\u001b[?25l');
  });

  it.each([1, 2])('says that the run of %i hosts stops, and fits on 80 columns', async (hosts) => {
    const names = Array.from({ length: hosts }, (_, index) => `web${index + 1}`);
    const terminal = fakeTerminal({ stderrIsTty: true, width: 80 });
    const progress = createProgress({ terminal, kind: 'live' });
    progress.onEvent(start(names));
    progress.stopping('SIGTERM');
    await progress.finish();

    expect(terminal.stderr()).toMatch(/stopping +SIGTERM: .*`opsctl resume`/);
  });

  it('never makes the run wait for a slow reader, and drops frames', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `web${index}`);
    const terminal = fakeTerminal({ stderrIsTty: true, slow: 300 });
    const progress = createProgress({ terminal, kind: 'live' });
    const started = performance.now();
    for (const event of [start(names), ...names.flatMap((name) => hostEvents(name, 'full'))]) progress.onEvent(event);
    const taken = performance.now() - started;
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await progress.finish();

    expect(taken).toBeLessThan(500);
    for (const name of names) expect(terminal.stderr()).toContain(` ${name}  Disk space: full`);
  });

  it.each([1, 2])('makes room for a question and comes back, with %i hosts', async (hosts) => {
    const names = Array.from({ length: hosts }, (_, index) => `web${index + 1}`);
    const terminal = fakeTerminal({ stderrIsTty: true });
    const progress = createProgress({ terminal, kind: 'live' });
    for (const event of [start(names), { type: 'host-connect', at, host: 'web1' } as const]) progress.onEvent(event);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await progress.pause();
    const paused = terminal.stderr();
    await new Promise((resolve) => setTimeout(resolve, 400));

    expect(terminal.stderr()).toBe(paused);

    progress.resume();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await progress.finish();

    expect(terminal.stderr().length).toBeGreaterThan(paused.length);
  });

  it('ends when the reader takes nothing at all', async () => {
    const terminal = fakeTerminal({ stderrIsTty: true, slow: 20_000 });
    const progress = createProgress({ terminal, kind: 'plain' });
    progress.onEvent(start(['web1']));
    const started = performance.now();
    await progress.finish();

    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe('progressKind', () => {
  it('is live on a screen only, and none when quiet', () => {
    const screen = fakeTerminal({ stderrIsTty: true });

    expect(progressKind(screen, false, { TERM: 'xterm' })).toBe('live');
    expect(progressKind(screen, false, { TERM: 'dumb' })).toBe('plain');
    expect(progressKind(screen, false, { CI: 'true' })).toBe('plain');
    expect(progressKind(screen, true, {})).toBe('none');
    expect(progressKind(fakeTerminal(), false, {})).toBe('plain');
  });
});

describeWith('the live view in a real terminal', ['tmux'], () => {
  let socket = '';
  const tmux = (...args: readonly string[]) => {
    return execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
  };

  it.each([
    [80, 24],
    [200, 50],
  ])('fits %ix%i, shows who runs, and leaves only failures', async (width, height) => {
    socket = `opsctl-progress-${process.pid}-${width}`;
    const demo = `cd ${repository} && npx tsx scripts/progress-demo.ts 150 live 5 2>/dev/tty; sleep 60`;
    tmux('new-session', '-d', '-x', String(width), '-y', String(height), demo);
    try {
      const during = await screenWith(/ of 150 hosts .*\d failed[\s\S]*and \d+ more hosts/);
      const lines = during.split('\n');

      expect(lines.filter((line) => /^ {2}web\d{3}\.example\.com +\d\/5 {2}\S/.test(line)).length).toBe(height - 4);
      expect(during).toMatch(/^ {2}and \d+ more hosts$/m);

      const after = await screenWith(/^cpu /m);

      expect(after).not.toMatch(/ of 150 hosts/);
      expect(after).not.toMatch(/\d\/5/);
      expect(after.match(/^failed +web\d{3}/gm)).toHaveLength(9);
    } finally {
      tmux('kill-server');
    }

    async function screenWith(pattern: RegExp): Promise<string> {
      for (let attempt = 0; attempt < 250; attempt++) {
        const screen = tmux('capture-pane', '-p', '-S', '-100');
        if (pattern.test(screen)) return screen;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`never saw ${pattern}`);
    }
  });
});
