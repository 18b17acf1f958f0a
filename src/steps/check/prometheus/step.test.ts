import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import { Secret } from '../../../secrets/secret.js';
import { readAnswer } from './answer.js';
import kind from './step.js';

describeWith('check.prometheus', ['prometheus'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-prometheus-'));
  const local = servers();
  const own: Server[] = [];
  let url: string;

  beforeAll(async () => {
    const port = await local.freePort();
    const target = `127.0.0.1:${port}`;
    url = `http://${target}/metrics-here`;
    const scrape = (job: string, to: string) =>
      `  - { job_name: ${job}, scrape_interval: 1s, metrics_path: /metrics-here/metrics, static_configs: [{ targets: ["${to}"] }] }\n`;
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `scrape_configs:\n${scrape('self', target)}${scrape('dead', `127.0.0.1:${await local.freePort()}`)}`,
    );
    await local.start(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${target}`,
        '--web.external-url=/metrics-here',
      ],
      async () => (await look(kind, { url, query: 'count(up) == 2', critical: '0:' })).outcome === 'ok',
    );
  });

  afterAll(async () => {
    for (const server of own) server.close();
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (query: string, given: object = {}) => look(kind, { url, query, ...given });

  async function answer(body: string, status = 200): Promise<string> {
    const server = createServer((request, response) =>
      response
        .writeHead(status, { 'x-saw': request.url ?? '' })
        .end(body.replace('TOKEN', request.headers.authorization ?? '')),
    );
    own.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const vector = (...values: readonly string[]) =>
    JSON.stringify({
      status: 'success',
      data: {
        resultType: 'vector',
        result: values.map((value, index) => ({ metric: { __name__: 'm', i: `${index}` }, value: [1.5, value] })),
      },
    });

  it('judges the number of a real server', async () => {
    expect(await ask('up{job="self"}', { critical: '1:' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/^up\{instance="127\.0\.0\.1:\d+",job="self"\} is 1$/),
      metrics: [
        { name: 'value', value: 1, unit: 'count', critical: '1:' },
        { name: 'query', unit: 'seconds' },
      ],
    });
    expect(await ask('vector(0.25)', { unit: 'ratio', critical: '20%' })).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary: 'the number is 25 %, limit 20 %',
    });
    expect(await ask('90', { unit: 's', warning: '1m' })).toMatchObject({ outcome: 'warning' });
    expect(await ask('scalar(vector(3))', { critical: 5 })).toMatchObject({ outcome: 'ok' });
  });

  it('judges each of several series', async () => {
    expect(await ask('up', { critical: '1:' })).toMatchObject({
      outcome: 'failed',
      reason: 'below-critical',
      summary: expect.stringMatching(/job="dead"\} is 0, at least 1$/),
      metrics: [{ value: expect.any(Number) }, { value: expect.any(Number) }, { name: 'query' }],
    });
    expect((await ask('up', { critical: '0:1' })).summary).toBe('2 series, 0 to 1');
  });

  it('calls nothing, and what is no number, unknown', async () => {
    expect(await ask('no_such_metric', { critical: 1 })).toMatchObject({ outcome: 'unknown', reason: 'no-series' });
    expect((await ask('up == 7', { critical: 1, empty: 'ok' })).outcome).toBe('ok');
    expect((await ask('up == 7', { critical: 1, empty: 'failed' })).outcome).toBe('failed');
    for (const query of ['vector(0) / vector(0)', 'vector(1) / vector(0)', '-1/0'])
      expect(await ask(query, { critical: '~:' })).toMatchObject({ outcome: 'unknown', reason: 'not-a-number' });
  });

  it('lets a series that fails weigh more than one that is no number, and a warning less', async () => {
    expect(await look(kind, { url: await answer(vector('NaN', '9')), query: 'm', critical: 5 })).toMatchObject({
      outcome: 'failed',
    });
    expect(await look(kind, { url: await answer(vector('9', 'NaN')), query: 'm', warning: 5 })).toMatchObject({
      outcome: 'unknown',
    });
  });

  it('calls a query that the server refuses unknown, in its words', async () => {
    expect(await ask('up{', { critical: 1 })).toMatchObject({
      outcome: 'unknown',
      reason: 'query-refused',
      summary: expect.stringMatching(/answers 400: .*parse error/),
    });
    expect(await ask('up[5m]', { critical: 1 })).toMatchObject({
      reason: 'query-refused',
      summary: expect.stringContaining('gives a matrix'),
    });
    expect(await look(kind, { url: url.replace('-here', '-there'), query: 'up', critical: 1 })).toMatchObject({
      outcome: 'unknown',
      reason: 'query-refused',
    });
  });

  it('does not trust an answer that lacks series', async () => {
    const partial = vector('1').replace(/}$/, ',"warnings":["receive series from Addr: store-1: timeout"]}');

    expect(await look(kind, { url: await answer(partial), query: 'm', critical: 5 })).toMatchObject({
      outcome: 'unknown',
      reason: 'partial-result',
    });
    expect((await look(kind, { url: await answer(partial), query: 'm', critical: '5:' })).outcome).toBe('failed');
  });

  it.each([
    ['a page', '<html>login</html>', 200, 'protocol-error'],
    ['an empty object', '{}', 200, 'query-refused'],
    ['a list', '[]', 200, 'query-refused'],
    [
      'a vector of nothing',
      '{"status":"success","data":{"resultType":"vector","result":[null]}}',
      200,
      'query-refused',
    ],
    ['a number that is none', vector('twelve'), 200, 'query-refused'],
    ['an empty number', vector(''), 200, 'query-refused'],
    ['a number in place of text', vector('1').replace('"1"', '1'), 200, 'query-refused'],
    ['a refusal', 'go away', 401, 'query-refused'],
    ['an error', '{"status":"error","errorType":"timeout","error":"query timed out"}', 503, 'query-refused'],
  ])('calls %s unknown', async (_, body, status, reason) => {
    expect(await look(kind, { url: await answer(body, status), query: 'm', critical: '~:' })).toMatchObject({
      outcome: 'unknown',
      reason,
    });
  });

  it.each(Object.keys(faults))('is never ok with a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    expect(
      await look(kind, { url: `http://127.0.0.1:${port}`, query: 'up', critical: 1, deadline: '300ms' }),
    ).toMatchObject({
      outcome: 'unknown',
    });
  });

  it('sends secrets in headers', async () => {
    const echo =
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"was":"TOKEN"},"value":[1,"1"]}]}}';
    const headers = { Authorization: new Secret('env:T', 'Bearer') };

    expect((await look(kind, { url: await answer(echo), query: 'm', critical: 5, headers })).summary).toContain(
      'was="Bearer"',
    );
  });

  it('refuses what judges nothing, before any contact', () => {
    const problems = (given: object) => kind.validate?.(withDefaults(kind, { url: 'http://x', query: 'up', ...given }));

    expect(problems({})).toMatchObject([{ path: ['critical'] }]);
    expect(problems({ empty: 'failed' })).toEqual([]);
    expect(problems({ critical: 'lots' })).toHaveLength(1);
    expect(problems({ critical: 1, url: 'ftp://x' })).toHaveLength(1);
    expect(problems({ critical: 1, url: 'http://a:b@x' })).toHaveLength(1);
  });

  it('reads numbers as Prometheus writes them', () => {
    const value = (text: string) => readAnswer(JSON.parse(vector(text)), 200).series[0]?.value;

    expect(['1e+09', '-0.5', '+Inf', '-Inf', '1.7976931348623157e+308'].map(value)).toEqual([
      1e9,
      -0.5,
      Infinity,
      -Infinity,
      Number.MAX_VALUE,
    ]);
    expect(value('NaN')).toBeNaN();
  });
});
