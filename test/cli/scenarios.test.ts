import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project, stepOf } from '../support/opsctl.js';
import { servers } from '../support/servers.js';

describe('a gate before a deployment', () => {
  const own = servers();
  let project: Project;
  let server: Server;
  beforeAll(() => {
    project = makeProject();
    server = createServer((_, response) => response.end('up'));
  });
  afterAll(async () => {
    server.close();
    await own.stop();
    project.remove();
  });

  it('waits for a service that starts four seconds late, and JUnit tells how long and how often', async () => {
    const port = await own.freePort();
    const given = `with: { port: ${port} }\n    retry: { attempts: 12, every: 1s }\n`;
    project.write('gate.yaml', `name: Gate\nsteps:\n  - id: port\n    uses: check.port\n    ${given}`);
    const timer = setTimeout(() => server.listen(port, '127.0.0.1'), 4_000);
    const { code, stdout } = await project.run(['run', 'gate.yaml', '-o', 'junit=gate.xml', '-o', 'json']);
    clearTimeout(timer);
    const xml = spawnSync('cat', [join(project.folder, 'gate.xml')], { encoding: 'utf8' }).stdout;
    const step = JSON.parse(stdout).hosts[0].steps[0];

    expect([code, step.outcome]).toEqual([0, 'ok']);
    expect(step.attempts).toBeGreaterThanOrEqual(3);
    expect(step.duration).toBeGreaterThanOrEqual(2);
    expect(xml).toMatch(/<testcase [^>]*time="([2-9]|\d\d)\.\d+"/);
    expect(xml).toContain(`<system-out>${step.attempts} attempts</system-out>`);
  });
});

describe('a runbook with mistakes', () => {
  it.each([
    ['a key that stands twice', 'with: { path: /etc/hosts }\n    with: { path: /etc/passwd }', 'E_YAML_DUPKEY', '8:5'],
    ['a mode without quotes', 'with: { path: /etc/hosts, mode: 0644 }', 'E_TYPE', '7:37'],
    ['a field that nothing knows', 'with: { path: /etc/hosts }\n    retries: 3', 'E_KEY_UNKNOWN', '8:5'],
  ])('is refused for %s, by line, and nothing of it is done', async (_, lines, code, place) => {
    const project = makeProject();
    const first = `  - uses: run.command\n    with: { command: touch done, effect: change }\n`;
    project.write('bad.yaml', `name: Bad\nsteps:\n${first}  # the mistake\n  - uses: check.file\n    ${lines}\n`);
    const ended = await project.run(['run', 'bad.yaml', '--yes']);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`${code} bad.yaml:${place}`);
    expect(existsSync(join(project.folder, 'done'))).toBe(false);
    project.remove();
  });
});

/** The control group of a test, below that of version 1 or 2. */
const memory = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].find((folder) => existsSync(folder)) as string;
const limitFile = memory.endsWith('memory') ? 'memory.limit_in_bytes' : 'memory.max';

describeWith('kills for lack of memory, from run to run', ['root'], () => {
  const group = join(memory, `opsctl-test-${process.pid}`);
  let project: Project;
  beforeAll(() => {
    project = makeProject();
    mkdirSync(group);
    writeFileSync(join(group, limitFile), String(30 * 2 ** 20));
  });
  afterAll(() => {
    rmdirSync(group);
    project.remove();
  });

  it('fail the run after they happened, and not the next one', async () => {
    const trends = 'trends: [{ metric: kills, show: increase, critical: 0 }]';
    project.write('oom.yaml', `name: Memory\nsteps:\n  - id: oom\n    uses: check.oom\n    ${trends}\n`);
    const look = async () => {
      const result = (await project.run(['run', 'oom.yaml', '-o', 'json'])).json();
      return stepOf(result, result.hosts[0]?.name ?? '', 'oom');
    };
    const first = await look();
    const greedy = spawnSync('sh', ['-c', 'echo $$ >"$1/cgroup.procs"; exec tail /dev/zero', 'sh', group]);
    const second = await look();
    const third = await look();

    expect(greedy.signal).toBe('SIGKILL');
    expect(first.outcome).toBe('ok');
    expect(second).toMatchObject({ outcome: 'failed' });
    expect(second.metrics.find(({ name }) => name === 'kills-increase')?.value).toBe(1);
    expect(third.outcome).toBe('ok');
  });
});
