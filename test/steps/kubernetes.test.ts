import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import kind from '../../src/steps/check/kubernetes/step.js';
import type { ProbeOutput } from '../../src/steps/step.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, shells, withDefaults } from '../support/probe.js';

type Objects = Record<string, object[]>;

const well = JSON.parse(
  readFileSync(new URL('../../src/steps/check/kubernetes/fixtures/cluster.json', import.meta.url), 'utf8'),
) as Objects;

/** Not a cluster: a small HTTP server that answers `kubectl get` like an API server does, with the objects it is given. */
function fakeApiServer(objects: () => Objects, forbidden: () => readonly string[]): Server {
  const core = [['nodes', 'Node', false] as const, ['pods', 'Pod', true] as const];
  const apps = [
    ['deployments', 'Deployment', true] as const,
    ['statefulsets', 'StatefulSet', true] as const,
    ['daemonsets', 'DaemonSet', true] as const,
  ];
  const resources = (groupVersion: string, list: readonly (readonly [string, string, boolean])[]) => ({
    kind: 'APIResourceList',
    groupVersion,
    resources: list.map(([name, type, namespaced]) => ({
      name,
      singularName: type.toLowerCase(),
      namespaced,
      kind: type,
      verbs: ['get', 'list'],
    })),
  });
  return createServer((request, response) => {
    const send = (body: object, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const version = { groupVersion: 'apps/v1', version: 'v1' };
    if (pathname === '/api') return send({ kind: 'APIVersions', versions: ['v1'] });
    if (pathname === '/apis')
      return send({
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: [{ name: 'apps', versions: [version], preferredVersion: version }],
      });
    if (pathname === '/api/v1') return send(resources('v1', core));
    if (pathname === '/apis/apps/v1') return send(resources('apps/v1', apps));
    const match = /^\/(?:api|apis\/apps)\/v1\/(?:namespaces\/([^/]+)\/)?(\w+)$/.exec(pathname);
    const [type, name] = [...core, ...apps].find(([plural]) => plural === match?.[2]) ?? [];
    if (!match || !type || forbidden().includes(type))
      return send(
        {
          kind: 'Status',
          apiVersion: 'v1',
          status: 'Failure',
          message: `${type} is forbidden`,
          reason: 'Forbidden',
          code: 403,
        },
        403,
      );
    const items = (objects()[type] ?? []).filter(
      (object) =>
        match[1] === undefined || (object as { metadata: { namespace?: string } }).metadata.namespace === match[1],
    );
    return send({
      kind: `${name}List`,
      apiVersion: ['nodes', 'pods'].includes(type) ? 'v1' : 'apps/v1',
      metadata: { resourceVersion: '1' },
      items,
    });
  });
}

describeWith('check.kubernetes with kubectl and a fake API server', ['kubectl', 'dash', 'bash', 'busybox'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-kubectl-'));
  let objects: Objects = well;
  let forbidden: readonly string[] = [];
  let config = '';
  const server = fakeApiServer(
    () => objects,
    () => forbidden,
  );

  const configFor = (port: number) => {
    const path = join(folder, `config-${port}`);
    const cluster = `{name: c, cluster: {server: "http://127.0.0.1:${port}"}}`;
    const context = '{name: c, context: {cluster: c, user: u}}';
    writeFileSync(
      path,
      `apiVersion: v1\nkind: Config\nclusters: [${cluster}]\ncontexts: [${context}]\ncurrent-context: c\nusers: [{name: u, user: {}}]\n`,
    );
    return path;
  };
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    config = configFor((server.address() as AddressInfo).port);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Not spawnSync: the server is in this process. */
  const ask = (given: object = {}, shell = 'dash'): Promise<ProbeOutput> => {
    const args = kind.args(withDefaults(kind, { kubeconfig: config, ...given })).map(String);
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const child = spawn(program, [...options, '-c', kind.probe.text, 'sh', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: folder, LC_ALL: 'C' },
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    return new Promise((resolve) => {
      child.on('close', (exitStatus) =>
        resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), exitStatus: exitStatus ?? -1 }),
      );
    });
  };

  it.each(Object.keys(shells))('finds all well with %s', async (shell) => {
    expect(judgeOutput(kind, await ask({}, shell))).toMatchObject({
      outcome: 'ok',
      summary: '1 node, 2 workloads, 1 pod: all well',
    });
  });

  it('looks at one namespace', async () => {
    const given = { namespace: 'kube-system', kinds: ['deployments', 'daemonsets', 'pods'] };

    expect(judgeOutput(kind, await ask(given), given).summary).toBe('1 workload: all well');
    expect(judgeOutput(kind, await ask({ ...given, namespace: 'none' }), given)).toMatchObject({
      outcome: 'unknown',
      reason: 'nothing-found',
    });
  });

  it('finds what is wrong', async () => {
    const status = (more: object) => ({ metadata: { name: 'x', namespace: 'n', generation: 3 }, ...more });
    objects = {
      nodes: [
        {
          metadata: { name: 'lost' },
          spec: { unschedulable: true },
          status: { conditions: [{ type: 'Ready', status: 'Unknown' }] },
        },
      ],
      statefulsets: [status({ spec: { replicas: 3 }, status: { observedGeneration: 2, readyReplicas: 3 } })],
      pods: [
        status({
          spec: {},
          status: {
            phase: 'Running',
            containerStatuses: [
              { name: 'app', ready: false, restartCount: 17, state: { waiting: { reason: 'CrashLoopBackOff' } } },
            ],
          },
        }),
      ],
    };
    const judged = judgeOutput(kind, await ask());
    objects = well;

    expect(judged).toMatchObject({
      outcome: 'failed',
      reason: 'node-not-ready',
      summary:
        'node lost is not ready: it is silent; StatefulSet n/x has a new specification that nobody looked at yet; app of pod n/x waits: CrashLoopBackOff',
    });
  });

  it('tells a right that is missing from a cluster that is gone', async () => {
    forbidden = ['nodes'];
    const closed = await ask();
    forbidden = [];
    const gone = await ask({ kubeconfig: configFor(1) });
    const missing = await ask({ kubeconfig: join(folder, 'none') });

    expect({ status: closed.exitStatus, said: closed.stderr.toString() }).toEqual({
      status: 77,
      said: 'Error from server (Forbidden): nodes is forbidden\n',
    });
    expect(gone.exitStatus).toBe(69);
    expect(gone.stderr.toString()).toMatch(/^The connection to the server 127.0.0.1:1 was refused.*\n$/);
    expect(missing.exitStatus).toBe(69);
  });

  it('leaves nothing behind', async () => {
    await ask();

    expect(() => readFileSync(join(folder, '.kube'))).toThrow('ENOENT');
  });
});
