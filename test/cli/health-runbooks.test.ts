import { cpSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProject, type Project } from '../support/opsctl.js';

const shipped = join(import.meta.dirname, '../../runbooks');

describe('the shipped health runbooks', () => {
  let project: Project;
  let server: Server;

  beforeAll(async () => {
    project = makeProject({});
    cpSync(shipped, join(project.folder, 'runbooks'), { recursive: true });
    server = createServer((_, response) => response.end('up'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(() => {
    server.close();
    project.remove();
  });

  it('measure this machine without parameters', async () => {
    const { code, json } = await project.run(['run', 'runbooks/host-health.yaml', '-o', 'json']);
    const steps = json().hosts[0]?.steps ?? [];

    expect(steps.map(({ step }) => step)).toEqual(['load', 'memory', 'disks', 'units', 'files', 'processes']);
    // A busy machine may warn or fail; not to know would be a mistake of the runbook.
    for (const { step, outcome, summary } of steps)
      expect(['ok', 'warning', 'failed', ...(step === 'units' ? ['skipped'] : [])], `${step}: ${summary}`).toContain(
        outcome,
      );
    expect([0, 1]).toContain(code);
  });

  it('ask for what they need, all at once', async () => {
    const { code, stderr } = await project.run(['run', 'runbooks/pre-deploy.yaml']);

    expect(code).toBe(2);
    expect(stderr).toContain('service');
    expect(stderr).toContain('port');
  });

  it('refuse a deployment where there is no room, with the number', async () => {
    const { port } = server.address() as AddressInfo;
    const params = ['service=none', `port=${port}`, 'free=900PiB:', `url=http://127.0.0.1:${port}/`];
    const { json } = await project.run([
      'run',
      'runbooks/pre-deploy.yaml',
      '-o',
      'json',
      '--skip-tags',
      'service',
      ...params.flatMap((param) => ['--param', param]),
    ]);
    const steps = Object.fromEntries((json().hosts[0]?.steps ?? []).map((step) => [step.step, step]));

    expect(steps.room).toMatchObject({ outcome: 'failed', reason: 'below-critical' });
    expect(steps.room?.summary).toContain('at least 900 PiB');
    expect(steps.port?.outcome).toBe('ok');
    expect(steps.answer?.outcome).toBe('ok');
  });
});
