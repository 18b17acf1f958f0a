import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWith, onPath } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const read = (name: string) => fixture(`${name}.txt`, import.meta.url);
const judge = (name: string, given: object = {}) =>
  judgeOutput(kind, read(name), { ...('label' in given ? {} : { name: name.replace(/^\w+-/, '') }), ...given });

describe('check.container', () => {
  it.each([
    ['docker-web', {}, 'ok', 'web is running and healthy (docker, tiny:1)'],
    ['podman-web', { health: 'healthy' }, 'ok', 'web is running and healthy (podman, localhost/tiny:1)'],
    ['docker-failed', {}, 'wrong-state', 'failed is exited (status 3), should be running'],
    ['podman-failed', { state: 'exited' }, 'exit-status', 'failed is exited (status 3)'],
    ['podman-failed', { state: 'exited', 'exit-status': [3] }, 'ok', /^failed is exited \(status 3\) \(podman/],
    ['docker-again', {}, 'wrong-state', 'again is restarting (status 1), should be running'],
    ['docker-sick', {}, 'unhealthy', 'sick is unhealthy'],
    ['podman-sick', {}, 'unhealthy', 'sick is unhealthy'],
    ['docker-sick', { health: 'ignore' }, 'ok', /^sick is running/],
    ['docker-held', {}, 'wrong-state', 'held is paused, should be running'],
    ['podman-held', { state: 'paused' }, 'ok', /^held is paused/],
    ['docker-new', { state: 'absent' }, 'container-present', 'docker has container new, should not'],
    ['podman-new', { state: 'created' }, 'ok', /^new is created/],
    ['docker-web', { image: 'tiny:2' }, 'wrong-image', 'web is made from tiny:1, should be from tiny:2'],
    [
      'podman-web',
      { digest: `sha256:${'0'.repeat(64)}` },
      'wrong-digest',
      /^the image of web is sha256:bfbd05d7aa41, /,
    ],
  ])('reads %s with %j: %s', (name, given, reason, summary) => {
    expect(judge(name, given)).toMatchObject({
      reason,
      summary: typeof summary === 'string' ? summary : expect.stringMatching(summary),
    });
  });

  it.each([
    ['docker-web', '892905b6d6490237f525cb36f0c787252e848bd250d6bc229e61684ad319a930'],
    ['podman-web', 'bfbd05d7aa416b5e4968ab6a932457f8a2fcfbe4f7e251b49d423fcd9a7ac96c'],
    ['podman-web', '2fc986e6179135d8b0d7ad6f3c9897ef1a7946365bc2f4ec2eb94b4d9aa433be'],
  ])('knows the image of %s by %s', (name, digest) => {
    expect(judge(name, { digest: `sha256:${digest}` }).outcome).toBe('ok');
  });

  it('counts restarts', () => {
    const restarts = { state: 'exited', 'exit-status': [1], 'restarts-warning': 0 };

    expect(judge('podman-again', restarts)).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'again was restarted 2 times, limit 0',
      metrics: [{ name: 'restarts', value: 2, unit: 'count', warning: '0', min: 0 }],
    });
  });

  it('looks at all containers with a label', () => {
    expect(judge('docker-shop', { label: 'app=shop' })).toMatchObject({
      outcome: 'failed',
      summary: 'failed is exited (status 3), should be running',
      metrics: [{ name: 'containers', value: 2 }, { name: 'restarts{failed}' }, { name: 'restarts{web}' }],
    });
    expect(judge('podman-shop', { label: 'app=shop', count: '3:' }).summary).toContain(
      '2 containers with app=shop, at least 3',
    );
  });

  it('never calls no container a good one', () => {
    const none = 'engine\tdocker\nend\t\n';

    expect(judgeOutput(kind, none, { name: 'web' })).toMatchObject({ outcome: 'failed', reason: 'no-container' });
    expect(judgeOutput(kind, none, { label: 'a=b' }).summary).toBe('docker has no container with a=b');
    expect(judgeOutput(kind, none, { name: 'web', state: 'absent' }).outcome).toBe('ok');
  });

  it('does not take a health check that is still starting for health', () => {
    const said = read('docker-web').replace('"healthy"', '"starting"');

    expect(judgeOutput(kind, said, { name: 'web' })).toMatchObject({ outcome: 'unknown', reason: 'health-starting' });
    expect(
      judgeOutput(kind, read('docker-web').replace('"healthy"', '""'), { name: 'web', health: 'healthy' }),
    ).toMatchObject({ reason: 'no-health-check' });
  });

  it.each([
    '',
    'engine\tdocker\n',
    'end\t\n',
    'engine\tdocker\ncontainer\t{}\nend\t\n',
    'engine\tdocker\ncontainer\tweb\nend\t\n',
    'engine\tdocker\nimage\t[]\nend\t\n',
  ])('does not take %j for an answer', (said) => {
    expect(() => judgeOutput(kind, said, { name: 'web' })).toThrow();
  });

  it('wants to know which containers', () => {
    const problems = (given: object) => kind.validate?.(withDefaults(kind, given)) ?? [];

    expect(problems({})).toHaveLength(1);
    expect(problems({ name: 'a', label: 'b' })).toHaveLength(1);
    expect(problems({ label: 'b', count: '3:' })).toEqual([]);
    expect(problems({ name: 'a', state: 'absent', count: 1 })).toHaveLength(1);
  });
});

describeWith('check.container without an engine', ['dash', 'bash', 'busybox'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-container-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Programs of a host that has nothing else. */
  const probeWith = (docker: string | undefined, shell: string, given: object = { name: 'web' }) => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const program of ['dash', 'bash', 'busybox']) {
      const found = [process.env.PATH ?? '']
        .flatMap((path) => path.split(':'))
        .map((path) => join(path, program))
        .find((path) => onPath(program) && path.startsWith('/usr/bin/'));
      if (found) symlinkSync(found, join(bin, program));
    }
    if (docker !== undefined) {
      writeFileSync(join(bin, 'docker'), `#!/bin/dash\n${docker}\n`);
      chmodSync(join(bin, 'docker'), 0o755);
    }
    const before = process.env.PATH;
    process.env.PATH = bin;
    try {
      return runProbe(kind, given, shell);
    } finally {
      process.env.PATH = before;
    }
  };

  it.each(Object.keys(shells))('says so with %s', (shell) => {
    const { exitStatus, stderr } = probeWith(undefined, shell);

    expect({ exitStatus, said: stderr.toString() }).toEqual({
      exitStatus: 127,
      said: 'neither docker nor podman is installed\n',
    });
    expect(probeWith(undefined, shell, { name: 'web', engine: 'podman' }).exitStatus).toBe(127);
  });

  it.each(Object.keys(shells))('tells a closed socket from a daemon that is not there, with %s', (shell) => {
    const closed = probeWith('echo "permission denied while trying to connect: dial unix" >&2; exit 1', shell);
    const gone = probeWith('echo "Cannot connect to the Docker daemon" >&2; echo more >&2; exit 1', shell);

    expect(closed.exitStatus).toBe(77);
    expect(gone.exitStatus).toBe(69);
    expect(gone.stderr.toString()).toBe('Cannot connect to the Docker daemon\n');
  });
});
