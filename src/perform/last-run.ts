import { readLastStates, updateLastStates } from '../journal/last-states.js';
import type { Plan } from '../plan/plan.js';
import { type LastStates, lastOfHost, noLastStates, updateLast } from '../result/last.js';
import type { RunResult } from '../result/result.schema.js';
import type { RunOptions } from './options.js';

/** How a runbook stood at the end of its last run, and what this run adds to it. */
export interface LastRun {
  readonly states: LastStates;
  /** False where it could not be read: then nothing is soft, or it would be so for ever. */
  readonly isKnown: boolean;
  /** What to tell at the end of the run. */
  readonly notes: readonly string[];
  /** Keeps what was seen, for the next run to be compared with. Gives what went wrong: a result is worth more. */
  save(result: RunResult): Promise<readonly string[]>;
}

/** Without a folder there is no last run, and this one leaves nothing. */
export async function openLastRun(plan: Plan, options: RunOptions, folder: string | undefined): Promise<LastRun> {
  const { failOn, tags, skipTags } = options;
  const problems: string[] = [];
  const unread: string[] = [];
  let states = noLastStates;
  let isKnown = folder !== undefined;
  try {
    if (folder) states = await readLastStates(folder);
  } catch (error) {
    isKnown = false;
    const why = (error as Error).message;
    problems.push(`the last run cannot be read, so nothing is compared: ${why}`);
    unread.push(`what earlier runs of this runbook saw is lost, and this one is a first run: ${why}`);
  }
  const first = plan.hosts.map(({ host }) => host.name).filter((name) => !lastOfHost(states, name));
  const others = first.length > 3 ? ` and ${first.length - 3} more` : '';
  if (failOn === 'new' && first.length > 0)
    problems.push(`first run on ${first.slice(0, 3).join(', ')}${others}: all that is bad there counts as new`);
  return {
    states,
    isKnown,
    notes: problems,
    async save(result) {
      // A run that was stopped did not see how its steps end; whoever resumes it compares with the one before.
      if (!folder || result.run.stopped !== undefined) return [];
      const whole = tags === undefined && skipTags === undefined;
      try {
        await updateLastStates(folder, (last) => updateLast(last, result, { whole, isUnknown: !isKnown }));
        return unread;
      } catch (error) {
        return [`the next run cannot tell what is new: ${(error as Error).message}`];
      }
    },
  };
}
