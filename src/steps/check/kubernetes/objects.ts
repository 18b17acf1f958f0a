import { expectSuccess } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

export const kinds = ['nodes', 'deployments', 'statefulsets', 'daemonsets', 'pods'] as const;

export interface Node {
  readonly kind: 'Node';
  readonly name: string;
  readonly unschedulable: boolean;
  readonly conditions: Readonly<Record<string, string>>;
}

export interface Workload {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  /** `namespace/name`. */
  readonly name: string;
  readonly desired: number;
  readonly ready: number;
  readonly updated: number;
  /** The controller has seen the newest specification. */
  readonly observed: boolean;
  /** Reason of the condition `Progressing`. */
  readonly progress: string;
}

export interface Pod {
  readonly kind: 'Pod';
  /** `namespace/name`. */
  readonly name: string;
  readonly phase: string;
  /** `Evicted` … */
  readonly reason: string;
  readonly deleted: boolean;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly containers: readonly Container[];
}

export interface Container {
  readonly name: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** Why it waits; empty when it does not. */
  readonly waiting: string;
}

export type ClusterObject = Node | Workload | Pod;

const workloads: readonly string[] = ['Deployment', 'StatefulSet', 'DaemonSet'] satisfies Workload['kind'][];

/** Objects as the probe prints them: kind, namespace, name, then `key=value`. */
export function readObjects(output: ProbeOutput): readonly ClusterObject[] {
  expectSuccess(output);
  const lines = text(output.stdout).split('\n');
  if (lines.at(-2) !== 'end') throw new UnreadableOutput('the list of objects is cut off');
  return lines.slice(0, -2).flatMap((line): ClusterObject[] => {
    const [kind = '', namespace, name, ...rest] = line.split('\t');
    if (kind !== 'Node' && kind !== 'Pod' && !workloads.includes(kind)) return [];
    if (namespace === undefined || !name) throw new UnreadableOutput(`not an object: ${line.slice(0, 200)}`);
    const fields = new Map(rest.map(splitField));
    if (kind === 'Node') return [nodeOf(name, fields)];
    const full = `${namespace}/${name}`;
    return [kind === 'Pod' ? podOf(full, fields, rest) : workloadOf(kind as Workload['kind'], full, fields)];
  });
}

function nodeOf(name: string, fields: ReadonlyMap<string, string>): Node {
  const { unschedulable, ...conditions } = Object.fromEntries(fields);
  if (conditions.Ready === undefined) throw new UnreadableOutput(`node ${name} does not say whether it is ready`);
  return { kind: 'Node', name, unschedulable: unschedulable === 'true', conditions };
}

function workloadOf(kind: Workload['kind'], name: string, fields: ReadonlyMap<string, string>): Workload {
  const count = (field: string) => numberOf(fields.get(field), `${name} ${field}`);
  const common = { kind, name, observed: count('observed') >= count('generation'), progress: '' };
  if (kind === 'DaemonSet') {
    const updated = fields.get('strategy') === 'OnDelete' ? count('desired') : count('scheduled');
    return { ...common, desired: count('desired'), ready: count('number-ready'), updated };
  }
  const desired = count('replicas');
  const ready = Math.min(count('ready'), kind === 'Deployment' ? count('available') : Number.POSITIVE_INFINITY);
  if (kind === 'Deployment') {
    const updated = fields.get('paused') === 'true' ? desired : count('updated');
    return { ...common, desired, ready, updated, progress: (fields.get('Progressing') ?? '').split('/')[1] ?? '' };
  }
  // One that is updated by hand, or only from some place on, is meant to be of two revisions.
  const byHand = fields.get('strategy') === 'OnDelete' || count('partition') > 0;
  const updated = byHand || fields.get('current') === fields.get('update') ? desired : count('updated');
  return { ...common, desired, ready, updated };
}

function podOf(name: string, fields: ReadonlyMap<string, string>, rest: readonly string[]): Pod {
  const phase = fields.get('phase') ?? '';
  if (phase === '' || phase === '<no value>') throw new UnreadableOutput(`pod ${name} has no phase`);
  return {
    kind: 'Pod',
    name,
    phase,
    reason: given(fields.get('reason')),
    deleted: given(fields.get('deleted')) !== '',
    ready: fields.get('Ready')?.startsWith('True/') ?? false,
    unschedulable: fields.get('PodScheduled') === 'False/Unschedulable',
    containers: rest.flatMap((field) => {
      const [key, value] = splitField(field);
      if (key !== 'container' && key !== 'init-container') return [];
      const [container = '', ready, restarts, waiting = ''] = value.split('/');
      const number = numberOf(restarts, `${name} restarts`);
      return [{ name: container, ready: ready === 'true', restarts: number, waiting: given(waiting) }];
    }),
  };
}

function splitField(field: string): [key: string, value: string] {
  const equals = field.indexOf('=');
  return equals === -1 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
}

/** What is not set is printed as `<no value>`. */
function given(value: string | undefined): string {
  return value === undefined || value === '<no value>' ? '' : value;
}

/** A count that is not set is 0. */
function numberOf(value: string | undefined, what: string): number {
  const number = Number(given(value));
  if (!Number.isFinite(number)) throw new UnreadableOutput(`${what} is not a number: ${value}`);
  return number;
}
