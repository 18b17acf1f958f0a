import type { RunEvent } from '../execute/events.js';
import { decideExit, type FailOn } from './exit.js';
import { explainByParents } from './parents.js';
import {
  type HostResult,
  type Outcome,
  outcomes,
  type RunResult,
  type StepResult,
  type Waiver,
} from './result.schema.js';
import { counts, repeatsHost } from './standing.js';

/** Builds the result of a run from its events, as they come or from a journal. */
export interface ResultFold {
  add(event: RunEvent): void;
  result(options?: { readonly failOn?: FailOn; readonly finishedAt?: string }): RunResult;
}

interface HostState {
  readonly name: string;
  readonly address: string;
  readonly transport: string;
  readonly steps: Map<string, { readonly result: StepResult; readonly index: number }>;
  hostKeys: readonly string[];
  reason: string | undefined;
  summary: string | undefined;
  readonly parents: readonly string[];
  hop: string | undefined;
  waived: Waiver | undefined;
  compared: Pick<HostResult, 'change' | 'since'>;
  ended: Outcome | undefined;
}

/** Worst first. A host is as good as its worst step; skipped says nothing. */
const badness: readonly Outcome[] = [
  'refused',
  'unknown',
  'failed',
  'unreachable',
  'warning',
  'changed',
  'ok',
  'skipped',
];

export function startFold(): ResultFold {
  let start: Extract<RunEvent, { type: 'run-start' }> | undefined;
  let end: Extract<RunEvent, { type: 'run-end' }> | undefined;
  const hosts = new Map<string, HostState>();
  /** Places of the steps in the runbook. */
  const order = new Map<string, number>();
  const warnings: string[] = [];
  return {
    add(event) {
      switch (event.type) {
        case 'run-start':
          start ??= event;
          for (const { name, address, transport, parents = [] } of event.hosts) {
            if (!hosts.has(name)) hosts.set(name, newHost(name, address, transport, parents));
          }
          for (const key of event.steps ?? []) if (!order.has(key)) order.set(key, order.size);
          break;
        case 'host-connected':
          withHost(hosts, event.host, (host) => {
            host.hostKeys = event.hostKeys;
          });
          break;
        case 'step-end':
          // A later result of the same step replaces the earlier one: a resumed run knows more.
          withHost(hosts, event.host, (host) => {
            // The items of a loop take the place of what was said before they were known.
            if (event.result.item !== undefined) host.steps.delete(event.result.step);
            host.steps.set(stepKey(event.result), { result: event.result, index: event.index ?? 0 });
          });
          break;
        case 'host-end':
          withHost(hosts, event.host, (host) => {
            host.ended = event.outcome;
            host.reason = event.reason;
            host.summary = event.summary;
            host.hop = event.hop;
            host.waived = event.waived;
            host.compared = {
              ...(event.change && { change: event.change }),
              ...(event.since !== undefined && { since: event.since }),
            };
          });
          break;
        case 'warning':
          warnings.push(event.message);
          break;
        case 'run-end':
          end = event;
          break;
      }
    },
    result({ failOn, finishedAt } = {}) {
      if (!start) throw new Error('the run has no start event');
      const hostResults = explainByParents(
        Array.from(hosts.values(), (host) => hostResult(host, order)),
        hosts,
      );
      const finished = end?.at ?? finishedAt ?? start.at;
      return {
        schema: 'opsctl.result/1',
        run: {
          ...start.run,
          finishedAt: finished,
          duration: end?.duration ?? Math.max(0, (Date.parse(finished) - Date.parse(start.at)) / 1000),
          ...(end?.stopped !== undefined && { stopped: end.stopped }),
        },
        exit: decideExit(hostResults, end?.stopped, failOn),
        totals: countOutcomes(hostResults),
        hosts: [...hostResults],
        warnings,
      };
    },
  };
}

/** The key of a step result within its host. */
export function stepKey(result: Pick<StepResult, 'step' | 'item'>): string {
  return result.item === undefined ? result.step : `${result.step}\0${result.item}`;
}

export function worstOutcome(list: readonly Outcome[]): Outcome {
  return badness.find((outcome) => list.includes(outcome)) ?? 'skipped';
}

function withHost(hosts: Map<string, HostState>, name: string, change: (host: HostState) => unknown): void {
  const host = hosts.get(name);
  if (host) change(host);
}

function newHost(name: string, address: string, transport: string, parents: readonly string[]): HostState {
  return {
    name,
    address,
    transport,
    steps: new Map(),
    hostKeys: [],
    reason: undefined,
    summary: undefined,
    parents,
    hop: undefined,
    waived: undefined,
    compared: {},
    ended: undefined,
  };
}

function hostResult(state: HostState, order: ReadonlyMap<string, number>): HostResult {
  const placeOf = ({ step }: StepResult) => order.get(step) ?? order.size;
  const steps = [...state.steps.values()]
    .sort((a, b) => placeOf(a.result) - placeOf(b.result) || a.index - b.index)
    .map(({ result }) => result);
  const worst = worstOutcome(steps.filter(counts).map((step) => step.outcome));
  // A host that was not seen to end may have more to say: that is not known.
  const outcome = worstOutcome([state.ended ?? 'unknown', worst]);
  return {
    name: state.name,
    address: state.address,
    transport: state.transport,
    outcome,
    ...(state.reason !== undefined && { reason: state.reason }),
    ...(state.summary !== undefined && { summary: state.summary }),
    ...(state.waived && { waived: state.waived }),
    ...state.compared,
    ...(state.hostKeys.length > 0 && { hostKeys: [...state.hostKeys] }),
    steps,
  };
}

function countOutcomes(hosts: readonly HostResult[]): RunResult['totals'] {
  const totals = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as RunResult['totals'];
  const own = { waived: 0, soft: 0, new: 0, still: 0, fixed: 0 };
  for (const host of hosts) {
    if (host.change) own[host.change] += 1;
    for (const step of host.steps) {
      if (step.change && !(host.reason !== undefined && repeatsHost(step, host))) own[step.change] += 1;
      if (step.waived) own.waived += 1;
      else if (step.soft) own.soft += 1;
      else totals[step.outcome] += 1;
    }
  }
  return { ...totals, ...Object.fromEntries(Object.entries(own).filter(([, number]) => number > 0)) };
}
