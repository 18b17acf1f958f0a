import type { RunEvent } from '../execute/events.js';
import { stepKey, worstOutcome } from './fold.js';
import { compareHost, compareStep, type LastStates, lastOfHost } from './last.js';
import type { StepResult, Waiver } from './result.schema.js';
import { counts, isBad } from './standing.js';
import { byExpiry, startWaivers, type WaiverRule, type WholeRun } from './waivers.js';

/**
 * Says of results what their hosts cannot know: whether they are accepted, and how it was in the last run. Between the hosts and everything that
 * listens to a run, so that the live view, the journal and the reports tell the same.
 */
export interface Judge {
  /** The event as everybody else is to see it; one of a run that is being resumed was compared already. */
  judge(event: RunEvent, resumed?: boolean): RunEvent;
  /** What to tell at the end of the run. */
  notes(run?: WholeRun): readonly string[];
}

export interface JudgeOptions {
  readonly waivers: readonly WaiverRule[];
  readonly run: string;
  readonly now: Date;
  readonly last: LastStates;
  /** In how many runs in a row a step must be bad to count. */
  readonly hardAfter: (step: string) => number;
  /** What the verdict on a group with `require` is made of, by keys of steps. */
  readonly membersOf?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Fewest results that a host must give. */
  readonly expected?: (host: string) => Expected;
}

export interface Expected {
  readonly results: number;
  /** What the runbook asks for, where fewer steps were chosen. */
  readonly of?: number;
}

export function startJudge(options: JudgeOptions): Judge {
  const waivers = startWaivers(options.waivers, options.now.getTime());
  const at = options.now.toISOString();
  // What an earlier part of the same run saw is nothing to compare with.
  const lastOf = (name: string) => {
    const host = lastOfHost(options.last, name);
    return host?.run === options.run ? undefined : host;
  };
  const hosts = new Map<string, Map<string, StepResult>>();
  const stepsOf = (host: string) => {
    let steps = hosts.get(host);
    if (!steps) {
      steps = new Map();
      hosts.set(host, steps);
    }
    return steps;
  };
  return {
    judge(event, resumed = false) {
      switch (event.type) {
        case 'step-end': {
          const steps = stepsOf(event.host);
          const members = membersIn(steps, options.membersOf?.get(event.result.step));
          const waived = waivedWith(members, waivers.apply(event.host, event.result));
          const compared = resumed
            ? waived
            : compareStep(waived, lastOf(event.host), {
                at,
                hardAfter: options.hardAfter(event.result.step),
              });
          const result = softWith(members, compared);
          // The items of a loop take the place of what was said before they were known.
          if (result.item !== undefined) steps.delete(result.step);
          steps.set(stepKey(result), result);
          return { ...event, result };
        }
        case 'host-end':
          if (resumed) return event;
          return judgeHost(event, [...stepsOf(event.host).values()], {
            compare: (host) => compareHost(host, lastOf(event.host), at),
            expected: options.expected?.(event.host),
          });
        default:
          return event;
      }
    },
    notes: waivers.notes,
  };
}

function membersIn(
  steps: ReadonlyMap<string, StepResult>,
  keys: ReadonlySet<string> | undefined,
): readonly StepResult[] {
  return keys ? [...steps.values()].filter(({ step }) => keys.has(step)) : [];
}

/** A group is accepted when all that is not well in it is: until the first of these waivers ends. */
function waivedWith(members: readonly StepResult[], group: StepResult): StepResult {
  const [waived] = excuses(members, group)
    .flatMap((member) => member.waived ?? [])
    .sort(byExpiry);
  return waived && !group.waiverExpired ? { ...group, waived } : group;
}

/** It is soft as long as one of those is that make it so. */
function softWith(members: readonly StepResult[], group: StepResult): StepResult {
  const [soft] = excuses(members, group)
    .flatMap((member) => member.soft ?? [])
    .sort((a, b) => b.of - b.run - (a.of - a.run));
  return soft ? { ...group, soft } : group;
}

/** The members that are not well, where none of them counts: then neither does what they make of their group. */
function excuses(members: readonly StepResult[], group: StepResult): readonly StepResult[] {
  const bad = members.filter(isBad);
  if (!isBad(group) || !counts(group) || bad.some(counts)) return [];
  // What was never judged, left out by tags or blocked, is accepted by nobody.
  const unknown = bad.filter(({ outcome }) => outcome !== 'failed' && outcome !== 'warning').length;
  const isKnown = group.outcome === 'failed' || group.outcome === 'warning';
  return isKnown || (group.data as { readonly unknown?: number } | undefined)?.unknown === unknown ? bad : [];
}

type HostEnd = Extract<RunEvent, { type: 'host-end' }>;

function judgeHost(
  { waived: _, change: __, since: ___, ...event }: HostEnd,
  steps: readonly StepResult[],
  {
    compare,
    expected,
  }: {
    readonly compare: (host: HostEnd) => Pick<HostEnd, 'change' | 'since'>;
    readonly expected: Expected | undefined;
  },
): HostEnd {
  const waived = waiverOfHost(event, steps);
  const whole = event.reason !== undefined && !waived;
  const uncounted = steps.some((step) => isBad(step) && !counts(step));
  // Where the host as a whole could not be worked on, that is more than its steps say.
  const outcome = uncounted && !whole ? worstOutcome(steps.filter(counts).map((step) => step.outcome)) : event.outcome;
  const few = event.reason === undefined && expected ? tooFew(steps, expected) : {};
  const said = { ...event, outcome, ...(waived && { waived }), ...few };
  return { ...said, ...compare({ ...said, outcome: few.outcome ?? event.outcome }) };
}

/** Nothing looked at must not pass for nothing found. */
function tooFew(steps: readonly StepResult[], { results, of }: Expected): Partial<HostEnd> {
  const given = steps.filter(({ outcome }) => ['ok', 'changed', 'warning', 'failed'].includes(outcome)).length;
  // What a dry run leaves out on purpose is not missing.
  const least = results - steps.filter(({ reason }) => reason === 'dry-run').length;
  if (given >= least) return {};
  const chosen = of === undefined ? '' : ` (the runbook expects ${of}, ${results} were chosen by tags)`;
  const summary = `only ${given} of the expected ${least} ${least === 1 ? 'result' : 'results'}${chosen}`;
  return { outcome: 'unknown', reason: 'too-few-results', summary };
}

/** That a host could not be worked on is accepted when all of its steps that say so are. */
function waiverOfHost({ reason }: HostEnd, steps: readonly StepResult[]): Waiver | undefined {
  const same = reason === undefined ? [] : steps.filter((step) => step.reason === reason);
  return same.every((step) => step.waived) ? same[0]?.waived : undefined;
}
