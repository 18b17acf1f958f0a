import type { RunEvent } from '../execute/events.js';
import { stepKey, worstOutcome } from './fold.js';
import type { StepResult, Waiver } from './result.schema.js';
import { counts } from './standing.js';
import { startWaivers, type WaiverRule, type WholeRun } from './waivers.js';

/**
 * Says of results what their hosts cannot know: whether they are accepted. Between the hosts and everything that
 * listens to a run, so that the live view, the journal and the reports tell the same.
 */
export interface Judge {
  /** The event as everybody else is to see it. */
  judge(event: RunEvent): RunEvent;
  /** What to tell at the end of the run. */
  notes(run?: WholeRun): readonly string[];
}

export interface JudgeOptions {
  readonly waivers: readonly WaiverRule[];
  /** Milliseconds since 1970: the start of the run. */
  readonly now: number;
}

export function startJudge(options: JudgeOptions): Judge {
  const waivers = startWaivers(options.waivers, options.now);
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
    judge(event) {
      switch (event.type) {
        case 'step-end': {
          const result = waivers.apply(event.host, event.result);
          const steps = stepsOf(event.host);
          // The items of a loop take the place of what was said before they were known.
          if (result.item !== undefined) steps.delete(result.step);
          steps.set(stepKey(result), result);
          return { ...event, result };
        }
        case 'host-end':
          return judgeHost(event, [...stepsOf(event.host).values()]);
        default:
          return event;
      }
    },
    notes: waivers.notes,
  };
}

type HostEnd = Extract<RunEvent, { type: 'host-end' }>;

function judgeHost({ waived: _, ...event }: HostEnd, steps: readonly StepResult[]): HostEnd {
  if (steps.every((step) => counts(step) || step.rescued === true)) return event;
  const waived = waiverOfHost(event, steps);
  // The host as a whole could not be worked on: that is more than its steps say.
  if (event.reason !== undefined && !waived) return event;
  const outcome = worstOutcome(steps.filter(counts).map((step) => step.outcome));
  return { ...event, outcome, ...(waived && { waived }) };
}

/** That a host could not be worked on is accepted when all of its steps that say so are. */
function waiverOfHost({ reason }: HostEnd, steps: readonly StepResult[]): Waiver | undefined {
  const same = reason === undefined ? [] : steps.filter((step) => step.reason === reason);
  return same.every((step) => step.waived) ? same[0]?.waived : undefined;
}
