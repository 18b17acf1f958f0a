import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import kind from '../../src/steps/check/container/step.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, runProbe, shells } from '../support/probe.js';

/** Real engines with storage of their own, and an image that is nothing but busybox. */
const folder = mkdtempSync(join(tmpdir(), 'opsctl-engine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const common = ['--network', 'host', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];

function image(): string {
  const archive = join(folder, 'image.tar');
  if (existsSync(archive)) return archive;
  const root = join(folder, 'image');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'run', 'tmp'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of ['sh', 'sleep', 'true', 'false']) symlinkSync('busybox', join(root, 'bin', name));
  execFileSync('tar', ['-C', root, '-cf', archive, '.']);
  return archive;
}

async function eventually(look: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (look()) return;
    await sleep(100);
  }
  throw new Error(`never came: ${what}`);
}

const look = (engine: string, given: object, shell = 'dash') => {
  const params = { engine, ...given };
  const output = runProbe(kind, params, shell);
  if (output.exitStatus !== 0) throw new Error(output.stderr.toString());
  return judgeOutput(kind, output, params);
};

function itReads(engine: string, say: (...args: string[]) => string, tiny: string): void {
  it('reads containers in every state', async () => {
    say('run', '-d', '--name', 'web', '--label', 'app=shop', ...common, tiny, '/bin/sleep', '600');
    say('run', '-d', '--name', 'failed', '--label', 'app=shop', ...common, tiny, '/bin/sh', '-c', 'exit 3');
    say('run', '-d', '--name', 'held', ...common, tiny, '/bin/sleep', '600');
    say('pause', 'held');
    say('create', '--name', 'new', tiny, '/bin/true');
    await eventually(() => look(engine, { name: 'failed' }).summary.includes('exited'), 'the end of a container');

    for (const shell of Object.keys(shells))
      expect(look(engine, { name: 'web', image: tiny }, shell).reason).toBe('ok');
    expect(look(engine, { name: 'failed' }).summary).toBe('failed is exited (status 3), should be running');
    expect(look(engine, { name: 'held', state: 'paused' }).outcome).toBe('ok');
    expect(look(engine, { name: 'new', state: 'created' }).outcome).toBe('ok');
    expect(look(engine, { name: 'we' }).reason).toBe('no-container');
    expect(look(engine, { label: 'app=shop' })).toMatchObject({
      reason: 'wrong-state',
      metrics: [{ value: 2 }, {}, {}],
    });
  });

  it('counts restarts of a container that fails again and again', async () => {
    say('run', '-d', '--name', 'again', '--restart', 'on-failure:2', ...common, tiny, '/bin/false');

    const given = { name: 'again', state: 'exited', 'exit-status': [1], 'restarts-warning': 1 };
    await eventually(() => look(engine, given).reason === 'above-warning', 'the second restart');
  });
}

describeWith('check.container with podman', ['podman', 'runc', 'busybox', 'root', 'dash', 'bash'], () => {
  const say = (...args: string[]) =>
    execFileSync('podman', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  beforeAll(() => {
    const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/podman"\nrunroot = "${folder}/podman-run"\n`;
    writeFileSync(join(folder, 'storage.conf'), storage);
    writeFileSync(join(folder, 'engine.conf'), '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n');
    vi.stubEnv('CONTAINERS_STORAGE_CONF', join(folder, 'storage.conf'));
    vi.stubEnv('CONTAINERS_CONF', join(folder, 'engine.conf'));
    say('import', image(), 'localhost/tiny:1');
  });
  afterAll(() => {
    say('rm', '-fa', '-t', '0');
    vi.unstubAllEnvs();
  });

  itReads('podman', say, 'localhost/tiny:1');

  it('reads the health of a container', () => {
    const check = ['--health-interval', 'disable', '--health-retries', '1'];
    say(
      'run',
      '-d',
      '--name',
      'sick',
      '--health-cmd',
      'false',
      ...check,
      ...common,
      'localhost/tiny:1',
      '/bin/sleep',
      '600',
    );
    expect(() => say('healthcheck', 'run', 'sick')).toThrow();

    expect(look('podman', { name: 'sick' })).toMatchObject({ outcome: 'failed', reason: 'unhealthy' });
  });

  it('knows an image by its digest', () => {
    const [digest = ''] = JSON.parse(say('image', 'inspect', '--format', '{{json .RepoDigests}}', 'localhost/tiny:1'));

    expect(look('podman', { name: 'web', digest: digest.split('@')[1] }).outcome).toBe('ok');
    expect(look('podman', { name: 'web', digest: `sha256:${'0'.repeat(64)}` }).reason).toBe('wrong-digest');
  });

  it('reads a container that has no image', () => {
    say('run', '-d', '--name', 'bare', ...common, '--rootfs', join(folder, 'image'), '/bin/sleep', '600');

    expect(look('podman', { name: 'bare' })).toMatchObject({
      outcome: 'ok',
      summary: 'bare is running (podman, no image)',
    });
  });
});

describeWith('check.container with docker', ['dockerd', 'runc', 'busybox', 'root', 'dash', 'bash', 'sudo'], () => {
  const socket = join(folder, 'docker.sock');
  const say = (...args: string[]) =>
    execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  let daemon: ChildProcess;

  beforeAll(async () => {
    const options = ['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs'];
    const places = [
      '--data-root',
      `${folder}/docker`,
      '--exec-root',
      `${folder}/docker-run`,
      '-p',
      `${folder}/docker.pid`,
    ];
    daemon = spawn('dockerd', [...options, ...places, '-H', `unix://${socket}`], { stdio: 'ignore' });
    vi.stubEnv('DOCKER_HOST', `unix://${socket}`);
    await eventually(() => {
      try {
        return say('version') !== '';
      } catch {
        return false;
      }
    }, 'the docker daemon');
    say('import', image(), 'tiny:1');
  }, 60_000);
  afterAll(async () => {
    const ids = say('ps', '-aq').split('\n').filter(Boolean);
    if (ids.length > 0) say('rm', '-f', ...ids);
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
    // The daemon leaves the namespace of the host network mounted.
    execFileSync('sh', ['-c', 'umount "$1"/* || true', 'sh', join(folder, 'docker-run/netns')], { stdio: 'ignore' });
    vi.unstubAllEnvs();
  }, 60_000);

  itReads('docker', say, 'tiny:1');

  it('reads the health of a container', async () => {
    const check = ['--health-interval', '1s', '--health-retries', '1'];
    say('run', '-d', '--name', 'well', '--health-cmd', 'true', ...check, ...common, 'tiny:1', '/bin/sleep', '600');
    say('run', '-d', '--name', 'sick', '--health-cmd', 'false', ...check, ...common, 'tiny:1', '/bin/sleep', '600');

    await eventually(() => look('docker', { name: 'well', health: 'healthy' }).outcome === 'ok', 'health');
    await eventually(() => look('docker', { name: 'sick' }).reason === 'unhealthy', 'bad health');
  });

  it('is not let in without rights', () => {
    execFileSync('chmod', ['755', folder]);
    const env = `DOCKER_HOST=unix://${socket}`;
    const probe = ['-u', 'nobody', 'env', env, 'dash', '-c', kind.probe.text, 'sh', 'docker', 'name=x', 'none'];

    expect(() => execFileSync('sudo', probe, { stdio: 'pipe' })).toThrow(expect.objectContaining({ status: 77 }));
  });

  it('says when the daemon is gone', () => {
    vi.stubEnv('DOCKER_HOST', `unix://${folder}/none.sock`);
    const { exitStatus, stderr } = runProbe(kind, { engine: 'docker', name: 'x' });
    vi.stubEnv('DOCKER_HOST', `unix://${socket}`);

    expect(exitStatus).toBe(69);
    expect(stderr.toString()).toMatch(/^Cannot connect to the Docker daemon.*\n$/);
  });
});
