import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import kind from './step.js';

/** As its documentation has it. */
const healthy = {
  cluster_name: 'testcluster',
  status: 'green',
  timed_out: false,
  number_of_nodes: 3,
  number_of_data_nodes: 3,
  active_primary_shards: 10,
  active_shards: 20,
  relocating_shards: 0,
  initializing_shards: 0,
  unassigned_shards: 0,
  delayed_unassigned_shards: 0,
  number_of_pending_tasks: 0,
  number_of_in_flight_fetch: 0,
  task_max_waiting_in_queue_millis: 0,
  active_shards_percent_as_number: 100.0,
};

describe('check.elasticsearch', () => {
  const local = servers();
  const own: Server[] = [];

  afterAll(async () => {
    for (const server of own) server.close();
    await local.stop();
  });

  async function ask(body: unknown, given: object = {}, status = 200) {
    const server = createServer((request, response) => {
      if (request.url !== '/base/_cluster/health') return response.writeHead(404).end('{}');
      return response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    own.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`;
    return await look(kind, { url, ...given });
  }

  it('is content with a green cluster', async () => {
    expect(await ask(healthy, { nodes: '3:', unassigned: 0 })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^cluster testcluster is green, 3 nodes, answers in [\d.]+ m?s$/),
      metrics: [{ name: 'nodes', value: 3 }, { name: 'unassigned', value: 0 }, { name: 'time' }],
    });
  });

  it('fails for red, and takes yellow as it is told', async () => {
    const yellow = { ...healthy, status: 'yellow', unassigned_shards: 4 };

    expect(await ask({ ...yellow, status: 'red' }, { yellow: 'ok' })).toMatchObject({
      outcome: 'failed',
      reason: 'cluster-red',
      summary: expect.stringContaining('4 shards have no node'),
    });
    expect(await ask(yellow)).toMatchObject({ outcome: 'warning', reason: 'cluster-yellow' });
    expect((await ask(yellow, { yellow: 'ok' })).outcome).toBe('ok');
    expect((await ask(yellow, { yellow: 'failed' })).outcome).toBe('failed');
    expect(await ask(yellow, { yellow: 'ok', unassigned: 3 })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
    });
  });

  it('puts limits on nodes and time', async () => {
    expect(await ask(healthy, { nodes: '4:' })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('has 3 nodes, at least 4'),
    });
    expect(await ask(healthy, { warning: '@0:60s' })).toMatchObject({ outcome: 'warning' });
    expect(await ask(healthy, { critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
  });

  it.each([
    [
      'without a master',
      { error: { type: 'master_not_discovered_exception', reason: null }, status: 503 },
      503,
      'failed',
      'no-master',
    ],
    [
      'that wants a login',
      { error: { type: 'security_exception', reason: 'missing authentication credentials' } },
      401,
      'unknown',
      'auth-failed',
    ],
    ['behind a proxy that has lost it', 'Bad Gateway', 502, 'failed', 'http-status'],
    ['that is a web page', '<html>', 200, 'failed', 'protocol-error'],
    ['that is another API', { status: 'success' }, 200, 'unknown', 'protocol-error'],
    ['with a colour of its own', { ...healthy, status: 'blue' }, 200, 'unknown', 'protocol-error'],
    ['with half an answer', { ...healthy, number_of_nodes: undefined }, 200, 'unknown', 'protocol-error'],
    ['with nothing', 'null', 200, 'unknown', 'protocol-error'],
  ])('is not content with a cluster %s', async (_, body, status, outcome, reason) => {
    expect(await ask(body, {}, status)).toMatchObject({ outcome, reason });
  });

  describe('with a query', () => {
    const given = { query: 'level:error', index: 'logs-*,app', 'count-critical': 10 };
    const answer = (count: number, shards: object = {}) => ({
      count,
      _shards: { total: 5, successful: 5, skipped: 0, failed: 0, ...shards },
    });

    async function count(body: unknown, more: object = {}, status = 200) {
      let asked: string | undefined;
      const server = createServer((request, response) => {
        if (request.url === '/_cluster/health') return response.end(JSON.stringify(healthy));
        asked = request.url;
        return response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
      });
      own.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return { asked: () => asked, ...(await look(kind, { url, ...given, ...more })) };
    }

    it('counts documents', async () => {
      const judged = await count(answer(7));

      expect(judged).toMatchObject({
        outcome: 'ok',
        summary: expect.stringMatching(/is green, 3 nodes, finds 7 documents, answers in/),
      });
      expect(judged.metrics).toContainEqual({ name: 'documents', value: 7, unit: 'count', critical: '10', min: 0 });
      expect(judged.asked()).toBe('/logs-*%2Capp/_count?q=level%3Aerror&allow_no_indices=false');
    });

    it('puts limits on them', async () => {
      expect(await count(answer(11))).toMatchObject({
        outcome: 'failed',
        reason: 'above-critical',
        summary: 'cluster testcluster finds 11 documents, limit 10',
      });
      expect(await count(answer(0), { 'count-critical': '1:' })).toMatchObject({ outcome: 'failed' });
      expect(await count(answer(7), { 'count-warning': 5 })).toMatchObject({ outcome: 'warning' });
    });

    it.each([
      ['shards do not answer', answer(1, { successful: 3, failed: 2 }), 200, 'partial-result'],
      ['a pattern matches no index', answer(0, { total: 0, successful: 0 }), 200, 'no-index'],
      [
        'there is no such index',
        { error: { type: 'index_not_found_exception', reason: 'no such index' } },
        404,
        'no-index',
      ],
      [
        'the query is misspelt',
        { error: { type: 'query_shard_exception', reason: 'Failed to parse query [level:error]' } },
        400,
        'query-refused',
      ],
      [
        'the user may not',
        { error: { type: 'security_exception', reason: 'action is unauthorized' } },
        403,
        'no-permission',
      ],
      ['the answer is no count', { hits: 3 }, 200, 'protocol-error'],
      ['the answer is no JSON', '<html>', 200, 'protocol-error'],
    ])('is unknown when %s, and does not repeat the query', async (_, body, status, reason) => {
      const { outcome, reason: given, summary } = await count(body, {}, status);

      expect({ outcome, given }).toEqual({ outcome: 'unknown', given: reason });
      expect(summary).not.toContain('level:error');
    });

    it('asks for both through the connection that it is given', async () => {
      const server = createServer((request, response) =>
        response.end(JSON.stringify(request.url === '/_cluster/health' ? healthy : answer(3))),
      );
      own.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const dialled: string[] = [];
      const { count: found } = await kind.call(withDefaults(kind, { ...given, url: 'http://search.invalid:9200' }), {
        host: { name: 'web1', address: '127.0.0.1' },
        signal: AbortSignal.timeout(20_000),
        async dial({ address, port }) {
          dialled.push(`${address}:${port}`);
          const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
          await once(socket, 'connect');
          return socket;
        },
      });

      expect(found).toEqual({ documents: 3 });
      expect(dialled).toEqual(['search.invalid:9200', 'search.invalid:9200']);
    });

    it('refuses a query without a limit, and a limit without a query', () => {
      const url = 'http://search.example.com';

      expect(kind.validate?.(withDefaults(kind, { url, query: 'a' }))).toMatchObject([{ path: ['query'] }]);
      expect(kind.validate?.(withDefaults(kind, { url, 'count-warning': 1 }))).toMatchObject([
        { path: ['count-warning'] },
      ]);
      expect(kind.validate?.(withDefaults(kind, { url, index: 'a' }))).toMatchObject([{ path: ['index'] }]);
    });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);
    const { outcome } = await look(kind, { url: `http://127.0.0.1:${port}`, deadline: '300ms' });

    expect(['failed', 'unknown']).toContain(outcome);
  });

  it('refuses limits and URLs that are none', () => {
    expect(kind.validate?.(withDefaults(kind, { url: 'search.example.com', nodes: 'x' }))).toHaveLength(2);
  });
});
