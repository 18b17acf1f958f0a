import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProject, type Project, type RunningOpsctl } from '../support/opsctl.js';
import { localInventory, oneStep } from './shell.js';

const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

let project: Project;
beforeAll(() => {
  project = makeProject({
    'opsctl.yaml': 'inventory: inventory.yaml\nstate: state\n',
    'inventory.yaml': localInventory('web1'),
    'slow.yaml': `${oneStep('sleep 60')}  - { id: after, uses: run.command, when: "steps.x.ok", with: { command: "true", effect: read } }\n`,
    'stubborn.yaml': oneStep("trap '' TERM; sleep 60 & wait; sleep 60"),
    'change.yaml': oneStep('sleep 4; echo finished', '', 'change'),
    'slow-hosts': '#!/bin/sh\nexec sleep 60\n',
  });
});
afterAll(() => project.remove());

async function until(running: RunningOpsctl, text: string): Promise<void> {
  for (let tries = 0; !running.stderr().includes(text); tries += 1) {
    if (tries > 600) throw new Error(`never said "${text}": ${running.stderr()}`);
    await sleep(50);
  }
}

async function stopWith(signal: NodeJS.Signals, args: readonly string[]) {
  const running = project.start(args);
  await until(running, 'start ');
  await sleep(500);
  const at = performance.now();
  running.child.kill(signal);
  const ended = await running.ended;
  return { ...ended, seconds: (performance.now() - at) / 1000 };
}

function lastJournal(): string {
  const runs = join(project.folder, 'state/runs');
  const [last = ''] = readdirSync(runs).sort().reverse();
  return readFileSync(join(runs, last, 'journal.ndjson'), 'utf8');
}

describe('a signal', () => {
  it.each(Object.entries(signals))(
    '%s ends a run in order, exit %i, and the last line names the way on',
    async (signal, code) => {
      const ended = await stopWith(signal as NodeJS.Signals, ['run', 'slow.yaml']);

      expect(ended.code).toBe(code);
      expect(ended.stderr.trimEnd().split('\n').at(-1)).toMatch(
        new RegExp(`^opsctl: stopped by ${signal}; go on with \`opsctl resume \\d{8}T\\d{6}Z-[0-9a-f]{6}\`$`),
      );
      expect(lastJournal().trimEnd().split('\n').at(-1)).toContain('"run-end"');
      expect(ended.seconds).toBeLessThan(30);
    },
  );

  it('ends a command that does not listen, too', async () => {
    const ended = await stopWith('SIGTERM', ['run', 'stubborn.yaml']);

    expect(ended.code).toBe(143);
    expect(ended.seconds).toBeLessThan(30);
  });

  it('given twice ends at once', async () => {
    const running = project.start(['run', 'stubborn.yaml']);
    await until(running, 'start ');
    await sleep(500);
    running.child.kill('SIGINT');
    await sleep(300);
    running.child.kill('SIGINT');
    await running.ended;

    expect(running.child.signalCode).toBe('SIGINT');
    expect(running.stderr()).toMatch(/stopping +SIGINT: ending what runs; once more to end at once/);
    expect(running.stderr()).not.toMatch(/at .*\.js/);
  });

  it('while files are still read ends without a stack: nothing was started', async () => {
    await import('node:fs').then(({ chmodSync }) => chmodSync(join(project.folder, 'slow-hosts'), 0o755));
    const running = project.start(['run', 'slow.yaml', '-i', './slow-hosts']);
    await sleep(2_000);
    running.child.kill('SIGTERM');
    const ended = await running.ended;

    expect(ended.stderr).toBe('opsctl: stopped by SIGTERM; nothing was started\n');
    expect(ended.code).toBe(143);
  });

  it('leaves a change at work, and resume tells how it ended', async () => {
    const ended = await stopWith('SIGTERM', ['run', 'change.yaml', '--yes', '-o', 'json']);
    const resumed = await project.run(['resume', '-o', 'json']);

    expect(ended.code).toBe(143);
    expect(ended.json().hosts[0]?.steps[0]).toMatchObject({ outcome: 'unknown' });
    expect(resumed.json().hosts[0]?.steps[0]).toMatchObject({ outcome: 'changed' });
    expect(resumed.code).toBe(0);
  });
});
