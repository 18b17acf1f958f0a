import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { defineControllerStep, type Judgement } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { deadlineParam } from '../deadline.js';
import { shownText } from '../dialogue.js';
import { caParam, judgeFailure } from '../endpoint.js';
import { apiUrl, fetchJson, type Headers, headersParam, urlProblems } from '../fetch-json.js';

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
  /** Seconds in all. */
  readonly seconds: number;
}

export default defineControllerStep<Params, ElasticsearchData>({
  kind: 'check.elasticsearch',
  summary: 'Health of an Elasticsearch or OpenSearch cluster',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'seconds', critical: 'seconds', nodes: 'count', unassigned: 'count' }),
    ...urlProblems(given.url),
  ],
  async call(given, { signal }) {
    const { failure, status, json, seconds } = await fetchJson(apiUrl(given.url, '/_cluster/health'), given, signal);
    const health = failure ? null : readHealth(json, status);
    if (health && 'reason' in health) return { url: given.url, failure: health, health: null, seconds };
    return { url: given.url, failure, health, seconds };
  },
  judge({ url, failure, health, seconds }, given) {
    if (failure) return judgeFailure(url, failure);
    if (!health) return { outcome: 'unknown', reason: 'no-answer', summary: `${url}: no answer` };
    return judgeHealth(health, seconds, given);
  },
});

function judgeHealth(health: ClusterHealth, seconds: number, given: Params): Judgement {
  const limits = {
    warning: optionalRange(given.warning, 'seconds'),
    critical: optionalRange(given.critical, 'seconds'),
  };
  const { status, nodes, unassigned } = health;
  const subject = `cluster ${shownText(health.cluster) || 'without a name'}`;
  const nodeLimit = optionalRange(given.nodes, 'count');
  const shardLimit = optionalRange(given.unassigned, 'count');
  const metrics = [
    metricOf('nodes', nodes, 'count', { critical: nodeLimit, min: 0 }),
    metricOf('unassigned', unassigned, 'count', { critical: shardLimit, min: 0 }),
    metricOf('time', seconds, 'seconds', { ...limits, min: 0 }),
  ];
  const judged = (outcome: Judgement['outcome'], reason: string, text: string): Judgement => ({
    outcome,
    reason,
    summary: `${subject} ${text}`,
    metrics,
  });

  const shards = `${unassigned} shards have no node`;
  if (status === 'red') return judged('failed', 'cluster-red', `is red, data is missing: ${shards}`);
  const nodeVerdict = judgeNumber(nodes, undefined, nodeLimit);
  if (nodeVerdict.limit)
    return judged('failed', nodeVerdict.reason, `has ${nodes} nodes, ${formatLimit(nodeVerdict.limit, 'count')}`);
  const shardVerdict = judgeNumber(unassigned, undefined, shardLimit);
  if (shardVerdict.limit)
    return judged(
      'failed',
      shardVerdict.reason,
      `is ${status}, ${shards}, ${formatLimit(shardVerdict.limit, 'count')}`,
    );
  const time = judgeNumber(seconds, limits.warning, limits.critical);
  const took = `answers in ${formatQuantity(seconds, 'seconds')}`;
  const slow = time.limit && judged(time.level, time.reason, `${took}, ${formatLimit(time.limit, 'seconds')}`);
  if (status === 'yellow' && given.yellow === 'failed')
    return judged('failed', 'cluster-yellow', `is yellow: ${shards}`);
  if (slow?.outcome === 'failed') return slow;
  if (status === 'yellow' && given.yellow === 'warning')
    return judged('warning', 'cluster-yellow', `is yellow: ${shards}`);
  return slow ?? judged('ok', 'ok', `is ${status}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${took}`);
}

/** The answer of `_cluster/health`, or why it is none. A cluster without a master answers 503. */
function readHealth(json: unknown, status: number | null): ClusterHealth | ConnectionFailure {
  const body = (typeof json === 'object' && json !== null ? json : {}) as Readonly<Record<string, unknown>>;
  const error = (typeof body.error === 'object' && body.error !== null ? body.error : {}) as {
    reason?: unknown;
    type?: unknown;
  };
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

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
