import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeOutputs } from '../../src/reports/outputs.js';
import { prometheus } from '../../src/reports/prometheus.js';
import { writeWholeFile } from '../../src/reports/write-file.js';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { hundredHosts, runResult, standings, stepResult, threeHosts } from '../support/results.js';
import { freePort } from '../support/sshd.js';
import { fakeTerminal } from '../support/terminal.js';
import { readExposition } from './exposition.js';
import { payloads, saying } from './hostile.js';

const print = (result: RunResult) => prometheus.render(result, { color: false, width: 100, verbose: false });
const metric = (name: string, value: number) => ({ name, value, unit: 'count' as const });

describe('prometheus', () => {
  it('says how the run ended and how many hosts have each outcome', () => {
    const families = readExposition(print(hundredHosts()));

    expect(families.get('opsctl_run_exit_code')).toEqual([{ labels: { runbook: 'Host health' }, value: 5 }]);
    expect(families.get('opsctl_run_start_time_seconds')?.[0]?.value).toBe(Date.UTC(2026, 2, 2, 4, 5, 6) / 1000);
    expect(families.get('opsctl_hosts')).toHaveLength(8);
    expect(families.get('opsctl_hosts')).toContainEqual({
      labels: { runbook: 'Host health', outcome: 'unreachable' },
      value: 2,
    });
  });

  it('has a series for each step, and for a host that nobody could work on', () => {
    const steps = readExposition(print(hundredHosts()))
      .get('opsctl_step_outcome')
      ?.map(({ labels }) => labels);

    expect(steps).toContainEqual({
      runbook: 'Host health',
      host: 'db5',
      step: 'sshd',
      kind: 'check.service',
      outcome: 'failed',
    });
    expect(steps?.filter(({ step }) => step === 'connection')).toHaveLength(3);
  });

  it('has what steps measured, by unit, with its subject as a label', () => {
    const ratios = readExposition(print(threeHosts())).get('opsctl_measured_ratio');

    expect(ratios?.[1]).toEqual({
      labels: {
        runbook: 'Host health',
        host: 'web2',
        step: 'disk',
        kind: 'check.disk',
        metric: 'used',
        subject: '/',
      },
      value: 0.97,
    });
  });

  it('leaves out what is no number and what is there already, and says how much', () => {
    const metrics = [metric('a', 1), metric('a', 2), metric('b', Number.NaN), metric('c', Number.POSITIVE_INFINITY)];
    const families = readExposition(print(runResult([{ name: 'web1', steps: [stepResult({ metrics })] }])));

    expect(families.get('opsctl_measured')?.map(({ value }) => value)).toEqual([1]);
    expect(families.get('opsctl_report_dropped_series')?.[0]?.value).toBe(1);
  });

  it('is bounded, however many things a host names', () => {
    const metrics = Array.from({ length: 20_000 }, (_, index) => metric(`used{${index}${'x'.repeat(500)}}`, index));
    const families = readExposition(print(runResult([{ name: 'web1', steps: [stepResult({ metrics })] }])));
    const measured = families.get('opsctl_measured') ?? [];

    expect(measured.length).toBeLessThanOrEqual(10_000);
    expect(families.get('opsctl_report_dropped_series')?.[0]?.value).toBe(20_000 - measured.length);
    expect(Math.max(...measured.map(({ labels }) => labels.subject?.length ?? 0))).toBeLessThanOrEqual(120);
  });
});

describeWith('prometheus for promtool', ['promtool'], () => {
  it.each([
    ['three hosts', threeHosts()],
    ['100 hosts', hundredHosts()],
    ['accepted, new and soft results', standings()],
    ['no hosts', runResult([])],
  ])('is without a complaint for %s', (_, result) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: print(result),
      encoding: 'utf8',
    });

    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describeWith('prometheus for the node exporter', ['prometheus-node-exporter', 'root'], () => {
  let folder = '';
  let exporter: ChildProcess;
  let url = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-textfile-'));
    chmodSync(folder, 0o755);
    const port = await freePort();
    url = `http://127.0.0.1:${port}/metrics`;
    exporter = spawn(
      'prometheus-node-exporter',
      [
        '--collector.disable-defaults',
        '--collector.textfile',
        `--collector.textfile.directory=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      // Under another account, as it is in earnest: it must be able to read the file.
      { stdio: 'ignore', uid: 65_534, gid: 65_534 },
    );
    await vi.waitFor(async () => expect(await scrape()).toContain('node_textfile_scrape_error'), {
      timeout: 20_000,
      interval: 100,
    });
  }, 30_000);
  afterAll(async () => {
    const ended = once(exporter, 'exit');
    exporter.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  const scrape = async () => (await fetch(url)).text();
  const write = async (name: string, result: RunResult) => {
    const file = join(folder, `${name}.prom`);
    await writeOutputs(result, [{ format: 'prometheus', file }], fakeTerminal(), writeWholeFile);
    return file;
  };

  it('is served as it was written, from a file that others may read', async () => {
    const file = await write('health', threeHosts());
    const served = await scrape();

    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(served).toMatch(/^node_textfile_scrape_error 0$/m);
    expect(served).toMatch(/^opsctl_measured_ratio\{.*host="web2".*subject="\/"\} 0\.97$/m);
    expect(served).toMatch(/^opsctl_hosts\{outcome="failed",runbook="Host health"\} 1$/m);
  });

  it('is taken, whatever a host says', async () => {
    for (const [index, payload] of payloads.entries()) {
      const said = saying(payload);
      await write(`hostile-${index}`, { ...said, run: { ...said.run, runbook: `Hostile ${index} ${payload}` } });
    }

    expect(await scrape()).toMatch(/^node_textfile_scrape_error 0$/m);
  });
});
