import { loadRunbook } from '../documents/runbook.js';
import { UserError } from '../errors.js';
import { allWays, type Part, type Step, unsafeText } from './trial.js';

/** Steps that no runbook takes, with the reason: a host may have names that nobody would give. */
export async function findRefused(parts: readonly Part[]): Promise<ReadonlyMap<Step, string>> {
  const refused = new Map<Step, string>();
  for (const way of allWays(parts)) {
    const problem = unsafeText(way) ? 'its name holds characters that do not show' : await problemOf(way);
    if (problem !== undefined) refused.set(way, problem);
  }
  return refused;
}

async function problemOf(way: Step): Promise<string | undefined> {
  const text = JSON.stringify({ name: 'one step', steps: [literalStep(way)] });
  try {
    await loadRunbook('one step', { cwd: '/', text });
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems[0]?.what ?? 'no step of a runbook';
  }
}

/** What a host says stands for itself: `${{` in it is text. */
export function literalStep(step: Step): Step {
  return JSON.parse(JSON.stringify(step).replaceAll('${{', () => '$${{')) as Step;
}
