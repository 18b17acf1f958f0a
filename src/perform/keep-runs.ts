import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandContext } from '../commands/command.js';
import type { Project } from '../documents/project.js';
import { keepByDefault } from '../documents/project.schema.js';
import { pruneRuns } from '../journal/prune.js';

/** Old runs are looked for this often at most, and for no longer than this. Milliseconds. */
const interval = 3_600_000;
const budget = 2_000;

/**
 * Removes old runs once a run is over, now and then.
 * @returns what to warn of: the run itself is done, and that it tidies up badly must not make it fail
 */
export async function removeOldRuns(
  state: string,
  { keepRuns }: Pick<Project, 'keepRuns'>,
  { user, signal }: Pick<CommandContext, 'user' | 'signal'>,
  spare: string,
): Promise<string | undefined> {
  const now = new Date();
  try {
    if (signal.aborted || !isDue(join(state, 'pruned'), now)) return undefined;
    const { problems } = await pruneRuns(state, { keep: keepRuns ?? keepByDefault, now, user, spare, budget });
    const [first, ...others] = problems;
    if (first === undefined) return undefined;
    return others.length === 0 ? first : `${first}, and ${others.length} more`;
  } catch (error) {
    return `old runs are not removed: ${(error as Error).message}`;
  }
}

/** Whether nobody has looked lately; from now on, somebody has. The file is empty, its time says it all. */
function isDue(file: string, now: Date): boolean {
  const last = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  // A time to come is one of a clock that was wrong.
  if (last !== undefined && last <= now.getTime() && now.getTime() - last < interval) return false;
  if (last === undefined) writeFileSync(file, '', { mode: 0o600, flag: 'a' });
  utimesSync(file, now, now);
  return true;
}
