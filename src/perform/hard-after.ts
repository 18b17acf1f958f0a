import type { LoadedRunbook, RunbookEntry } from '../documents/runbook.js';
import { type Problem, UserError } from '../errors.js';
import type { Plan } from '../plan/plan.js';

/**
 * In how many runs in a row each step must be bad to count: its own `hard-after`, else that of its runbook.
 * A change that failed counts at once.
 */
export function readHardAfter(runbook: LoadedRunbook, plan: Plan): ReadonlyMap<string, number> {
  const changing = new Set(plan.steps.filter(({ effect }) => effect === 'change').map(({ key }) => key));
  const found = new Map<string, number>();
  const problems: Problem[] = [];
  const walk = (entries: readonly RunbookEntry[], around: number | undefined) => {
    for (const entry of entries) {
      if (entry.kind === 'group') {
        const own = entry.include?.runbook.value['hard-after'] ?? around;
        if (entry.group.require !== undefined && own !== undefined) found.set(entry.key, own);
        for (const part of [entry.steps, entry.rescue, entry.always]) walk(part, own);
        continue;
      }
      const { key, step, document, path } = entry;
      const own = step['hard-after'];
      const runs = own ?? around;
      if (runs === undefined) continue;
      if (!changing.has(key)) found.set(key, runs);
      else if (own !== undefined)
        problems.push({
          code: 'E_VALUE',
          what: 'a change that failed counts at once, so a changing step takes no `hard-after`',
          hint: 'remove it',
          place: document.place([...path, 'hard-after'], 'key'),
        });
    }
  };
  walk(runbook.entries, runbook.value['hard-after']);
  if (problems.length > 0) throw new UserError(problems);
  return found;
}
