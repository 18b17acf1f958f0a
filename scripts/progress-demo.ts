/**
 * Shows the live view of an invented run: `npx tsx scripts/progress-demo.ts [HOSTS] [KIND] [SECONDS]`.
 * For a look at the view itself, and for what it costs: CPU and bytes are printed at the end.
 */
import { performance } from 'node:perf_hooks';
import type { RunEvent } from '../src/execute/events.js';
import { createProgress, type ProgressKind, progressKind } from '../src/progress/progress.js';
import { processTerminal } from '../src/terminal.js';
import { stepResult } from '../test/support/results.js';

const hosts = Number(process.argv[2] ?? 40);
const terminal = processTerminal();
const kind = (process.argv[3] ?? progressKind(terminal, false, {})) as ProgressKind;
const seconds = Number(process.argv[4] ?? 6);
const steps = ['Disk space', 'Load', 'Pending updates', 'Certificates', 'Accounts with a password'];

let bytes = 0;
const counted = {
  ...terminal,
  err: (text: string) => {
    bytes += Buffer.byteLength(text);
    return terminal.err(text);
  },
};
const progress = createProgress({ terminal: counted, kind });
const send = (event: RunEvent) => progress.onEvent(event);
const at = () => new Date().toISOString();
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const names = Array.from({ length: hosts }, (_, index) => `web${String(index + 1).padStart(3, '0')}.example.com`);

const cpu = process.cpuUsage();
const started = performance.now();
send({
  type: 'run-start',
  at: at(),
  run: { id: 'demo', runbook: 'Host health', mode: 'run', startedAt: at(), version: '0' },
  hosts: names.map((name) => ({ name, address: name, transport: 'ssh', steps: steps.length })),
});
await Promise.all(names.map((name, index) => runHost(name, index)));
send({ type: 'run-end', at: at(), duration: (performance.now() - started) / 1000 });
await progress.finish();
const used = process.cpuUsage(cpu);
await terminal.err(`cpu ${((used.user + used.system) / 1e6).toFixed(2)} s, ${bytes} bytes to the screen\n`);

async function runHost(name: string, index: number): Promise<void> {
  const pace = (seconds * 1000) / (steps.length + 2);
  await sleep(((index * 37) % 100) * (pace / 100));
  send({ type: 'host-connect', at: at(), host: name });
  await sleep(pace * 0.8);
  if (index % 29 === 7) {
    const summary = `no answer from ${name} port 22 within 5 s`;
    send({ type: 'host-end', at: at(), host: name, outcome: 'unreachable', reason: 'connect-timeout', summary });
    return;
  }
  send({ type: 'host-connected', at: at(), host: name, hostKeys: [] });
  for (const [number, step] of steps.entries()) {
    send({ type: 'step-start', at: at(), host: name, step: String(number + 1), name: step, effect: 'read' });
    await sleep(pace * (0.7 + ((index + number) % 6) / 10));
    const failed = index % 17 === 3 && number === 1;
    const result = failed
      ? stepResult({
          name: step,
          outcome: 'failed',
          summary: 'load 17.2 per core, limit is 4, \u001b]0;pwned\u0007 and on',
        })
      : stepResult({ name: step });
    send({ type: 'step-end', at: at(), host: name, result });
  }
  send({ type: 'host-end', at: at(), host: name, outcome: index % 17 === 3 ? 'failed' : 'ok' });
}
