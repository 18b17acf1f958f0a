import type { Finding, HostResult, Outcome, RunResult, StepResult } from '../result/result.schema.js';
import { counts, repeatsHost } from '../result/standing.js';
import { type Standing, standingKey, standingOf } from './standing.js';

/**
 * Results that say the same on several hosts, as one. "The same" is outcome, reason, summary, findings and
 * output, where a host's own name and address in them do not count as a difference.
 */
export interface ResultGroup extends Standing {
  /** Step key, or `connection` for what kept a host from being worked on at all. */
  readonly step: string;
  readonly name: string;
  readonly uses: string;
  readonly item?: string;
  readonly outcome: Outcome;
  readonly reason: string;
  /** With `<host>` and `<address>` in place of names where there are several hosts. */
  readonly summary: string;
  readonly findings: readonly Finding[];
  /** In the order of the selection. */
  readonly hosts: readonly string[];
  /** What the first host of the group said. */
  readonly sample?: StepResult;
  /** What each host of the group said, in the same order; empty for what is wrong with hosts as a whole. */
  readonly results: readonly StepResult[];
  /** The rescue steps of its group made good for it. */
  readonly rescued: boolean;
  /** How many different outputs were folded into this group; 1 when all are the same. */
  readonly outputs: number;
}

/** All groups in the order of the runbook, connections first. */
export function groupResults(result: RunResult): readonly ResultGroup[] {
  const order = stepOrder(result);
  const clusters = new Map<string, Member[]>();
  for (const member of result.hosts.flatMap(membersOf)) {
    const key = JSON.stringify([
      member.step,
      member.item,
      member.outcome,
      member.reason,
      member.rescued,
      standingKey(member.standing),
      member.plain,
      member.found,
    ]);
    const cluster = clusters.get(key);
    if (cluster) cluster.push(member);
    else clusters.set(key, [member]);
  }
  return [...clusters.values()]
    .flatMap(splitByOutput)
    .sort((a, b) => (order.get(a.step) ?? -1) - (order.get(b.step) ?? -1) || behindLast(a) - behindLast(b));
}

/** What is behind something else stands under it. */
function behindLast({ reason }: ResultGroup): number {
  return Number(reason === 'parent-down');
}

/** Worst first. `ok`, `changed` and `skipped` need nobody's attention. */
export const attentionOrder: readonly Outcome[] = ['failed', 'unknown', 'refused', 'unreachable', 'warning'];

export function needsAttention(result: Pick<StepResult, 'outcome' | 'rescued' | 'waived' | 'soft'>): boolean {
  return attentionOrder.includes(result.outcome) && counts(result);
}

/** What is wrong with a host as a whole, shown like a step of it. */
export interface HostTrouble {
  readonly step: string;
  readonly name: string;
  readonly reason: string;
  readonly summary: string;
}

export function hostTrouble(host: HostResult): HostTrouble | undefined {
  const connection = { step: 'connection', name: 'Connection' };
  if (host.reason === 'too-few-results')
    return { step: 'results', name: 'Number of results', reason: host.reason, summary: host.summary ?? host.reason };
  if (host.reason !== undefined) return { ...connection, reason: host.reason, summary: host.summary ?? host.reason };
  if (host.steps.length === 0 && attentionOrder.includes(host.outcome))
    return {
      ...connection,
      reason: 'not-started',
      summary: host.summary ?? 'nothing was done there, and nothing is known',
    };
  return undefined;
}

/** The steps of a host without those that only repeat why the host as a whole could not be worked on. */
export function ownSteps(host: HostResult): readonly StepResult[] {
  return host.steps.filter((step) => !repeatsHost(step, host));
}

/** `Disk space`, or `Disk space [/var]` in a loop. */
export function titleOfStep({ name, item }: Pick<StepResult, 'name' | 'item'>): string {
  return item === undefined ? name : `${name} [${item}]`;
}

/** What a command printed is its result, not only its evidence. */
export function isCommand(uses: string): boolean {
  return uses.startsWith('run.');
}

/**
 * The output that explains a result to a person: standard error, else what the author's own command printed,
 * else what a probe said that could not be understood. Understood probes print data for opsctl.
 */
export function explanationOf(
  step: StepResult,
  verbose = false,
): { readonly from: string; readonly text: string } | undefined {
  const { stdout, stderr } = outputOf(step);
  if (stderr.trim() !== '') return { from: 'stderr', text: stderr };
  const own = isCommand(step.uses) || step.uses.endsWith('.command') || step.outcome === 'unknown';
  return stdout.trim() !== '' && (own || verbose) ? { from: 'stdout', text: stdout } : undefined;
}

/** Text that a step printed, as far as the result holds it. */
export function outputOf(step: StepResult): { readonly stdout: string; readonly stderr: string } {
  return { stdout: step.evidence?.stdout ?? '', stderr: step.evidence?.stderr ?? '' };
}

/** More different outputs than this of one failure are shown as one with its count. */
const maxOutputs = 3;

interface Member {
  readonly step: string;
  readonly name: string;
  readonly uses: string;
  readonly item?: string;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly rescued: boolean;
  readonly standing: Standing;
  readonly summary: string;
  readonly plain: string;
  readonly found: string;
  readonly output: string;
  readonly host: string;
  readonly result?: StepResult;
}

function membersOf(host: HostResult): readonly Member[] {
  const neutral = neutralizer(host);
  const trouble: Member[] = [];
  const whole = hostTrouble(host);
  if (whole)
    trouble.push({
      step: whole.step,
      name: whole.name,
      uses: host.transport,
      outcome: host.outcome,
      reason: whole.reason,
      rescued: false,
      standing: standingOf(host),
      summary: whole.summary,
      plain: neutral(whole.summary),
      found: '',
      output: '',
      host: host.name,
    });
  const steps = ownSteps(host).map((step): Member => {
    return {
      step: step.step,
      name: step.name,
      uses: step.uses,
      ...(step.item !== undefined && { item: step.item }),
      outcome: step.outcome,
      reason: step.reason,
      rescued: step.rescued === true,
      standing: standingOf(step),
      summary: step.summary,
      plain: neutral(step.summary),
      found: neutral(
        JSON.stringify(step.findings.map(({ id, subject, detail, waived }) => [id, subject, detail, waived])),
      ),
      output: neutral(outputShown(step)),
      host: host.name,
      result: step,
    };
  });
  return [...trouble, ...steps];
}

/** Only what a reader gets to see can tell two hosts apart: numbers of processes in a probe's own output do not. */
function outputShown(step: StepResult): string {
  if (isCommand(step.uses)) return JSON.stringify(Object.values(outputOf(step)));
  return needsAttention(step) ? (explanationOf(step)?.text ?? '') : '';
}

function splitByOutput(cluster: readonly Member[]): readonly ResultGroup[] {
  const byOutput = new Map<string, Member[]>();
  for (const member of cluster) {
    const same = byOutput.get(member.output);
    if (same) same.push(member);
    else byOutput.set(member.output, [member]);
  }
  const [first] = cluster;
  if (byOutput.size > maxOutputs && first && !isCommand(first.uses)) return [groupOf(cluster, byOutput.size)];
  return [...byOutput.values()].map((members) => groupOf(members, 1));
}

function groupOf(members: readonly Member[], outputs: number): ResultGroup {
  const [first] = members as readonly [Member, ...Member[]];
  return {
    step: first.step,
    name: first.name,
    uses: first.uses,
    ...(first.item !== undefined && { item: first.item }),
    outcome: first.outcome,
    reason: first.reason,
    rescued: first.rescued,
    ...first.standing,
    ...oldest(members),
    summary: members.length === 1 ? first.summary : first.plain,
    findings: first.result?.findings ?? [],
    hosts: members.map(({ host }) => host),
    ...(first.result && { sample: first.result }),
    results: members.flatMap(({ result }) => result ?? []),
    outputs,
  };
}

/** Since when it is so on the first of several hosts. */
function oldest(members: readonly Member[]): Pick<Standing, 'since'> {
  const [since] = members.flatMap(({ standing }) => standing.since ?? []).sort();
  return since === undefined ? {} : { since };
}

/** Replaces a host's own name and address, where they stand as whole words. */
export function neutralizer(host: Pick<HostResult, 'name' | 'address'>): (text: string) => string {
  const names = [...new Set([host.name, host.address])].filter((name) => name.length > 1 && name.length < 1000);
  if (names.length === 0) return (text) => text;
  const pattern = new RegExp(
    `(?<![\\w.-])(?:${names
      .sort((a, b) => b.length - a.length)
      .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('|')})(?![\\w-])`,
    'g',
  );
  return (text) => text.replace(pattern, (found) => (found === host.name ? '<host>' : '<address>'));
}

/** Steps in the order in which any host has them. */
function stepOrder(result: RunResult): ReadonlyMap<string, number> {
  const order = new Map<string, number>();
  for (const host of result.hosts) for (const { step } of host.steps) if (!order.has(step)) order.set(step, order.size);
  return order;
}
