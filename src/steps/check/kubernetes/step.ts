import { parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatLimit } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, wrong } from '../issues.js';
import { type ClusterObject, kinds, type Node, type Pod, readObjects, type Workload } from './objects.js';

const params = {
  type: 'object',
  properties: {
    kinds: {
      type: 'array',
      items: { enum: kinds },
      minItems: 1,
      uniqueItems: true,
      default: [...kinds],
      description: 'What to look at. Nodes take a right that users of one namespace do not have.',
      examples: [['deployments', 'pods']],
    },
    namespace: {
      type: 'string',
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      description: 'Namespace to look at. All of them when absent.',
      examples: ['shop'],
    },
    selector: {
      type: 'string',
      minLength: 1,
      description: 'Label selector, as kubectl takes it.',
      examples: ['app=web', 'tier in (web, api)'],
    },
    context: { type: 'string', minLength: 1, description: 'Context of the kubeconfig. The current one when absent.' },
    kubeconfig: {
      type: 'string',
      pattern: '^/',
      description: 'File with the address and login of the cluster. What kubectl takes by itself when absent.',
      examples: ['/etc/kubernetes/admin.conf'],
    },
    'restarts-warning': {
      ...rangeSchema('Warn when a container was restarted more often, since its pod was made.'),
      examples: [5],
    },
    'restarts-critical': { ...rangeSchema('Fail when a container was restarted more often.'), examples: [50] },
    deadline: {
      type: ['string', 'number'],
      format: 'duration',
      default: '10s',
      description: 'Longest time that one request may take.',
      examples: ['5s'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export default defineHostStep<Params, { readonly objects: readonly ClusterObject[] }>({
  kind: 'check.kubernetes',
  summary: 'Nodes, workloads and pods of a Kubernetes cluster, through kubectl',
  params,
  effect: 'read',
  alsoFrom: 'controller',
  validate: (given) => rangeProblems(given, { 'restarts-warning': 'count', 'restarts-critical': 'count' }),
  probe: script('./probe.sh', import.meta.url),
  args: (given) => [
    given.kinds.map((kind) => (['nodes', 'pods'].includes(kind) ? kind : `${kind}.apps`)).join(','),
    given.namespace ?? '',
    given.selector ?? '',
    given.context ?? '',
    given.kubeconfig ?? '',
    String(Math.max(1, Math.ceil(parseDuration(given.deadline)))),
  ],
  parse: (output) => ({ objects: readObjects(output) }),
  judge({ objects }, given) {
    if (objects.length === 0) {
      const where = given.namespace === undefined ? 'the cluster' : `namespace ${given.namespace}`;
      return {
        outcome: 'unknown',
        reason: 'nothing-found',
        summary: `${where} shows none of ${given.kinds.join(', ')}${given.selector ? ` with ${given.selector}` : ''}`,
      };
    }
    const nodes = objects.filter((object) => object.kind === 'Node');
    const pods = objects.filter((object) => object.kind === 'Pod');
    const workloads = objects.filter((object) => object.kind !== 'Node' && object.kind !== 'Pod');
    const restarts = pods.flatMap(({ containers }) => containers.map((container) => container.restarts));
    const limits = {
      warning: optionalRange(given['restarts-warning'], 'count'),
      critical: optionalRange(given['restarts-critical'], 'count'),
    };
    const issues = [
      ...nodes.flatMap(nodeIssues),
      ...workloads.flatMap(workloadIssues),
      ...pods.flatMap(podIssues),
      ...pods.flatMap((pod) => restartIssues(pod, limits)),
    ];
    const counts = [counted(nodes, 'node'), counted(workloads, 'workload'), counted(pods, 'pod')];
    const metrics = [
      metricOf('nodes', nodes.length, 'count', { min: 0 }),
      metricOf('nodes-ready', nodes.filter(({ conditions }) => conditions.Ready === 'True').length, 'count', {
        min: 0,
      }),
      metricOf('workloads', workloads.length, 'count', { min: 0 }),
      metricOf('workloads-ready', workloads.filter((each) => workloadIssues(each).length === 0).length, 'count', {
        min: 0,
      }),
      metricOf('pods', pods.length, 'count', { min: 0 }),
      metricOf('restarts', Math.max(0, ...restarts), 'count', { ...limits, min: 0 }),
    ];
    return judgeIssues(issues, { calm: `${counts.filter(Boolean).join(', ')}: all well`, metrics });
  },
});

function nodeIssues({ name, conditions, unschedulable }: Node): Issue[] {
  if (conditions.Ready !== 'True')
    return [
      wrong('node-not-ready', `node ${name} is not ready${conditions.Ready === 'Unknown' ? ': it is silent' : ''}`),
    ];
  // Besides Ready, every condition is something bad.
  const bad = Object.entries(conditions).filter(([type, status]) => type !== 'Ready' && status === 'True');
  return [
    ...(bad.length > 0 ? [wrong('node-condition', `node ${name} has ${bad.map(([type]) => type).join(', ')}`)] : []),
    ...(unschedulable
      ? [{ outcome: 'warning', reason: 'node-cordoned', text: `node ${name} takes no new pods` } as const]
      : []),
  ];
}

function workloadIssues({ kind, name, desired, ready, updated, observed, progress }: Workload): Issue[] {
  const subject = `${kind} ${name}`;
  if (!observed) return [wrong('not-rolled-out', `${subject} has a new specification that nobody looked at yet`)];
  if (progress === 'ProgressDeadlineExceeded') return [wrong('rollout-stuck', `the rollout of ${subject} is stuck`)];
  if (updated < desired) return [wrong('not-rolled-out', `${subject} has ${updated} of ${desired} updated`)];
  if (ready < desired) return [wrong('not-ready', `${subject} has ${ready} of ${desired} ready`)];
  return [];
}

/** Reasons to wait that pass by themselves. */
const starting: readonly string[] = ['ContainerCreating', 'PodInitializing'];

function podIssues(pod: Pod): Issue[] {
  const { name, phase, reason, deleted, ready, unschedulable, containers } = pod;
  // A job that is done leaves its pod; one that is being deleted is on its way out.
  if (phase === 'Succeeded' || deleted) return [];
  if (phase === 'Failed') return [wrong('pod-failed', `pod ${name} failed${reason === '' ? '' : ` (${reason})`}`)];
  if (unschedulable) return [wrong('pod-unschedulable', `pod ${name} fits on no node`)];
  const stuck = containers.find(({ waiting }) => waiting !== '' && !starting.includes(waiting));
  if (stuck) return [wrong('pod-waiting', `${stuck.name} of pod ${name} waits: ${stuck.waiting}`)];
  if (phase === 'Running' && ready) return [];
  if (phase !== 'Running' && phase !== 'Pending') return [wrong('pod-phase', `pod ${name} is ${phase}`)];
  return [{ outcome: 'warning', reason: 'pod-not-ready', text: `pod ${name} is not ready` }];
}

function restartIssues(
  { name, deleted, containers }: Pod,
  { warning, critical }: Parameters<typeof metricOf>[3] & object,
): Issue[] {
  if (deleted) return [];
  return containers.flatMap(({ name: container, restarts }) => {
    const { level, reason, limit } = judgeNumber(restarts, warning, critical);
    if (level === 'ok' || !limit) return [];
    const text = `${container} of pod ${name} was restarted ${restarts} times, ${formatLimit(limit, 'count')}`;
    return [{ outcome: level, reason, text }];
  });
}

function counted(list: readonly unknown[], noun: string): string {
  return list.length === 0 ? '' : `${list.length} ${noun}${list.length === 1 ? '' : 's'}`;
}
