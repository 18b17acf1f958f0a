import type { RunEvent } from '../execute/events.js';
import { stepKey, worstOutcome } from './fold.js';
import { compareHost, compareStep, type LastStates } from './last.js';
import type { StepResult, Waiver } from './result.schema.js';
import { counts } from './standing.js';
import { startWaivers, type WaiverRule, type WholeRun } from './waivers.js';

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
}

export function startJudge(options: JudgeOptions): Judge {
  const waivers = startWaivers(options.waivers, options.now.getTime());
  const at = options.now.toISOString();
  // What an earlier part of the same run saw is nothing to compare with.
  const lastOf = (name: string) => {
    const host = options.last.hosts[name];
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
          const waived = waivers.apply(event.host, event.result);
          const result = resumed ? waived : compareStep(waived, lastOf(event.host), { at, hardAfter: 1 });
          const steps = stepsOf(event.host);
          // The items of a loop take the place of what was said before they were known.
          if (result.item !== undefined) steps.delete(result.step);
          steps.set(stepKey(result), result);
          return { ...event, result };
        }
        case 'host-end':
          if (resumed) return event;
          return judgeHost(event, [...stepsOf(event.host).values()], (host) =>
            compareHost(host, lastOf(event.host), at),
          );
        default:
          return event;
      }
    },
    notes: waivers.notes,
  };
}

type HostEnd = Extract<RunEvent, { type: 'host-end' }>;

function judgeHost(
  { waived: _, change: __, since: ___, ...event }: HostEnd,
  steps: readonly StepResult[],
  compare: (host: HostEnd) => Pick<HostEnd, 'change' | 'since'>,
): HostEnd {
  const waived = waiverOfHost(event, steps);
  const said = { ...event, ...compare(event), ...(waived && { waived }) };
  if (steps.every((step) => counts(step) || step.rescued === true)) return said;
  // The host as a whole could not be worked on: that is more than its steps say.
  if (event.reason !== undefined && !waived) return said;
  return { ...said, outcome: worstOutcome(steps.filter(counts).map((step) => step.outcome)) };
}

/** That a host could not be worked on is accepted when all of its steps that say so are. */
function waiverOfHost({ reason }: HostEnd, steps: readonly StepResult[]): Waiver | undefined {
  const same = reason === undefined ? [] : steps.filter((step) => step.reason === reason);
  return same.every((step) => step.waived) ? same[0]?.waived : undefined;
}
