import type { RunEvent } from '../execute/events.js';
import { escapeLine } from '../reports/escape.js';
import { labelOf, standingOf, withExcuse, withNotes } from '../reports/standing.js';
import type { HostResult, Outcome, StepResult } from '../result/result.schema.js';

/** What the live view knows of a run: a fold over its events, escaped for a terminal already. */
export interface ProgressState {
  runbook: string;
  runId: string;
  dryRun: boolean;
  hosts: number;
  done: number;
  readonly totals: Map<Outcome, number>;
  /** In the order in which they were contacted. */
  readonly running: Map<string, RunningHost>;
  /** Lines that stay: failures and warnings as they happened, not yet shown. */
  news: News[];
}

export interface RunningHost {
  readonly name: string;
  readonly steps: number;
  finished: number;
  doing: string;
  since: number;
}

export interface News {
  readonly at: string;
  readonly outcome: ReturnType<typeof labelOf> | 'stopping';
  readonly text: string;
}

export function startState(): ProgressState {
  return {
    runbook: '',
    runId: '',
    dryRun: false,
    hosts: 0,
    done: 0,
    totals: new Map(),
    running: new Map(),
    news: [],
  };
}

/** Folds one event in. `planned` remembers how many steps each host has until it is contacted. */
export function applyEvent(state: ProgressState, event: RunEvent, planned: Map<string, number>): void {
  switch (event.type) {
    case 'run-start':
      state.runbook = escapeLine(event.run.runbook);
      state.runId = escapeLine(event.run.id);
      state.dryRun = event.run.mode === 'dry-run';
      state.hosts = event.hosts.length;
      for (const { name, steps } of event.hosts) planned.set(name, steps);
      return;
    case 'host-connect':
      hostOf(state, event.host, event.at, planned).doing = 'connecting';
      return;
    case 'host-connected':
      hostOf(state, event.host, event.at, planned).doing = 'connected';
      return;
    case 'step-start': {
      const host = hostOf(state, event.host, event.at, planned);
      host.doing = escapeLine(event.name);
      host.since = Date.parse(event.at);
      return;
    }
    case 'step-retry': {
      const host = hostOf(state, event.host, event.at, planned);
      host.doing = escapeLine(`${event.step}: attempt ${event.attempt}, ${event.reason}`);
      return;
    }
    case 'step-end':
      // What was made good for is told a second time.
      if (!event.result.rescued) hostOf(state, event.host, event.at, planned).finished += 1;
      if (deservesALine(event.result))
        state.news.push({
          at: event.at,
          outcome: labelOf(event.result.outcome, event.result),
          text: escapeLine(
            `${event.host}  ${stepTitle(event.result)}: ${withNotes(withExcuse(event.result.summary, event.result), standingOf(event.result))}`,
          ),
        });
      return;
    case 'host-end':
      state.running.delete(event.host);
      state.done += 1;
      state.totals.set(event.outcome, (state.totals.get(event.outcome) ?? 0) + 1);
      if (event.reason !== undefined && (isTrouble(event.outcome) || event.waived))
        state.news.push({
          at: event.at,
          outcome: event.waived ? 'waived' : event.outcome,
          text: escapeLine(`${event.host}  ${withNotes(event.summary ?? event.reason, event)}`),
        });
      return;
    case 'warning':
      state.news.push({ at: event.at, outcome: 'warning', text: escapeLine(event.message) });
      return;
    case 'run-end':
  }
}

/** What a person wants to know who has just pressed Ctrl-C. */
export function stopNews(reason: string, now: number): News {
  const text = `${escapeLine(reason)}: ending what runs; once more to end at once, then \`opsctl resume\``;
  return { at: new Date(now).toISOString(), outcome: 'stopping', text };
}

export function isTrouble(outcome: HostResult['outcome']): boolean {
  return outcome === 'failed' || outcome === 'unknown' || outcome === 'unreachable' || outcome === 'refused';
}

// A step of a host that cannot be reached says nothing that the end of the host will not say.
function deservesALine({ outcome }: StepResult): boolean {
  return outcome === 'failed' || outcome === 'unknown';
}

function stepTitle({ name, item }: StepResult): string {
  return item === undefined ? name : `${name} [${item}]`;
}

function hostOf(state: ProgressState, name: string, at: string, planned: Map<string, number>): RunningHost {
  const known = state.running.get(name);
  if (known) return known;
  const host: RunningHost = {
    name: escapeLine(name),
    steps: planned.get(name) ?? 0,
    finished: 0,
    doing: '',
    since: Date.parse(at),
  };
  state.running.set(name, host);
  return host;
}
