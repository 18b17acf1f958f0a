import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep, type Judgement, type StepProblem } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { shownText } from '../dialogue.js';
import { caParam, judgeFailure, measureTime } from '../endpoint.js';
import { apiUrl, fetchJson, type Headers, headersParam, urlProblems } from '../fetch-json.js';
import { type Issue, judgeIssues, measure, unclear, wrong } from '../issues.js';
import { type Count, countDocuments, isCount, objectOf } from './count.js';

const params = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      minLength: 1,
      description: 'Where a node of the cluster is, `http` or `https`.',
      examples: ['https://${{ host.address }}:9200'],
    },
    yellow: {
      enum: ['ok', 'warning', 'failed'],
      default: 'warning',
      description:
        'What yellow means: all data is there, some replicas are not. A single node is never green with replicas.',
    },
    nodes: { ...rangeSchema('Fail when the number of nodes is outside this range.'), examples: ['3:', '3:3'] },
    unassigned: { ...rangeSchema('Fail when more shards than this have no node.'), examples: [10] },
    query: {
      type: 'string',
      minLength: 1,
      description: 'Query whose documents are counted, in the words of Lucene.',
      examples: ['level:error AND @timestamp:[now-15m TO now]'],
    },
    index: {
      type: 'string',
      pattern: '^[^/?#\\s]+$',
      description: 'Index, alias, data stream or pattern that `query` looks in. All when absent.',
      examples: ['logs-*'],
    },
    'count-warning': {
      ...rangeSchema('Warn when the number of documents is outside this range.'),
      examples: [10, '1:'],
    },
    'count-critical': {
      ...rangeSchema('Fail when the number of documents is outside this range.'),
      examples: [100, '1:'],
    },
    headers: headersParam,
    ca: caParam,
    warning: { ...rangeSchema('Warn when the answer takes longer; a number is seconds.'), examples: ['500ms'] },
    critical: { ...rangeSchema('Fail when the answer takes longer; a number is seconds.'), examples: ['5s'] },
    deadline: deadlineParam,
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'headers'> & { readonly headers: Headers };

export interface ClusterHealth {
  readonly cluster: string;
  readonly status: 'green' | 'yellow' | 'red';
  readonly nodes: number;
  readonly unassigned: number;
}

export interface ElasticsearchData {
  readonly url: string;
  readonly failure: ConnectionFailure | null;
  readonly health: ClusterHealth | null;
  /** Null without a query. */
  readonly count: Count | null;
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, ElasticsearchData>({
  kind: 'check.elasticsearch',
  summary: 'Health of an Elasticsearch or OpenSearch cluster, and a query',
  params,
  effect: 'read',
  alsoFrom: 'host',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'seconds',
      critical: 'seconds',
      nodes: 'count',
      unassigned: 'count',
      'count-warning': 'count',
      'count-critical': 'count',
    }),
    ...urlProblems(given.url),
    ...queryProblems(given),
  ],
  async call(given, { signal, dial }) {
    const { url, query, index } = given;
    const target = { ...given, dial };
    const { failure, status, json, seconds } = await fetchJson(apiUrl(url, '/_cluster/health'), target, signal);
    const health = failure ? null : readHealth(json, status);
    if (!health || 'reason' in health) return { url, failure: failure ?? health, health: null, count: null, seconds };
    if (query === undefined) return { url, failure, health, count: null, seconds };
    const started = performance.now();
    const left = Math.max(1, Math.floor((parseDuration(given.deadline) - seconds) * 1000));
    const count = await countDocuments(url, index, query, { ...target, deadline: `${left}ms` }, signal);
    return { url, failure, health, count, seconds: seconds + (performance.now() - started) / 1000 };
  },
  judge({ url, failure, health, count, seconds }, given) {
    if (failure) return judgeFailure(url, failure);
    if (!health) return { outcome: 'unknown', reason: 'no-answer', summary: `${url}: no answer` };
    return judgeHealth(health, count, seconds, given);
  },
});

function queryProblems(given: Params): StepProblem[] {
  const limit = (['count-warning', 'count-critical'] as const).find((name) => given[name] !== undefined);
  const orphan = limit ?? (given.index === undefined ? undefined : 'index');
  if (given.query === undefined && orphan !== undefined)
    return [{ path: [orphan], what: 'there is no query', hint: 'add a query whose documents are counted' }];
  if (given.query !== undefined && limit === undefined)
    return [
      { path: ['query'], what: 'without a limit every number is ok', hint: 'add count-critical or count-warning' },
    ];
  return [];
}

function judgeHealth(health: ClusterHealth, count: Count | null, seconds: number, given: Params): Judgement {
  const { status, nodes, unassigned } = health;
  const shards = `${unassigned} shards have no node`;
  const bounds = { min: 0 };
  const nodeCount = measure('nodes', nodes, 'count', { critical: given.nodes, ...bounds }, () => `has ${nodes} nodes`);
  const shardCount = measure(
    'unassigned',
    unassigned,
    'count',
    { critical: given.unassigned, ...bounds },
    () => `is ${status}, ${shards}`,
  );
  const time = measureTime(seconds, given);
  const found =
    count && count.documents !== null
      ? measure(
          'documents',
          count.documents,
          'count',
          { warning: given['count-warning'], critical: given['count-critical'], ...bounds },
          (quantity) => `finds ${quantity} ${count.documents === 1 ? 'document' : 'documents'}`,
        )
      : undefined;
  const measured = [nodeCount, shardCount, ...(found ? [found] : []), time];
  const issues: Issue[] = [
    ...(status === 'red' ? [wrong('cluster-red', `is red, data is missing: ${shards}`)] : []),
    ...measured.flatMap((one) => one.issues),
    ...(status === 'yellow' && given.yellow !== 'ok'
      ? [{ outcome: given.yellow, reason: 'cluster-yellow', text: `is yellow: ${shards}` }]
      : []),
    ...(count?.documents === null ? [unclear(count.reason, `the query ${count.detail}`)] : []),
  ];
  return judgeIssues(issues, {
    subject: `cluster ${shownText(health.cluster) || 'without a name'}`,
    calm: [
      `is ${status}`,
      `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`,
      ...(found ? [found.text] : []),
      time.text,
    ].join(', '),
    metrics: measured.map(({ metric }) => metric),
  });
}

/** The answer of `_cluster/health`, or why it is none. A cluster without a master answers 503. */
function readHealth(json: unknown, status: number | null): ClusterHealth | ConnectionFailure {
  const body = objectOf(json);
  const error = objectOf(body.error);
  const said = [error.type, error.reason].filter((text) => typeof text === 'string').join(': ');
  const detail = `answers ${status ?? 'nothing'}${said ? `, ${shownText(said, 200)}` : ''}`;
  if (status === 401 || status === 403) return { reason: 'auth-failed', detail, proven: false };
  if (error.type === 'master_not_discovered_exception' || error.type === 'cluster_manager_not_discovered_exception')
    return { reason: 'no-master', detail: 'the cluster has no master', proven: true };
  if (status !== 200 && status !== 408) return { reason: 'http-status', detail, proven: true };
  const { cluster_name: cluster, status: colour, number_of_nodes: nodes, unassigned_shards: unassigned } = body;
  if (
    (colour !== 'green' && colour !== 'yellow' && colour !== 'red') ||
    typeof cluster !== 'string' ||
    !isCount(nodes) ||
    !isCount(unassigned)
  )
    return { reason: 'protocol-error', detail: 'the answer is not the health of a cluster', proven: false };
  return { cluster, status: colour, nodes, unassigned };
}
