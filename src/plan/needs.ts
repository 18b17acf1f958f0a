import { nearest } from '../documents/nearest.js';
import type { Place, Problem } from '../errors.js';
import type { NeededStep } from './plan.js';

interface Known {
  readonly prefix: string;
  /** All ids of the runbook. */
  readonly ids: ReadonlySet<string>;
  /** Those of earlier steps. */
  readonly seen: ReadonlySet<string>;
  /** The id of the step that needs them. */
  readonly own: string | undefined;
}

/** The steps that `needs` names. Only earlier ones can be needed, so that there are no circles. */
export function neededSteps(
  ids: readonly string[],
  { prefix, ids: all, seen, own }: Known,
  placeOf: (index: number) => Place,
): { readonly needed: NeededStep[]; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const needed = ids.flatMap((id, index): NeededStep[] => {
    if (seen.has(id)) return [{ id, key: `${prefix}${id}` }];
    const place = placeOf(index);
    if (id === own) {
      problems.push({ code: 'E_STEP_LATER', what: `step \`${id}\` needs itself`, hint: 'name earlier steps', place });
    } else if (all.has(id)) {
      const hint = 'move it up: only earlier steps can be needed';
      problems.push({ code: 'E_STEP_LATER', what: `step \`${id}\` comes later`, hint, place });
    } else {
      const meant = nearest(id, seen);
      const hint = meant ? `did you mean \`${meant}\`?` : 'only a step with an `id` can be named';
      problems.push({ code: 'E_STEP_ID', what: `no earlier step has the id \`${id}\``, hint, place });
    }
    return [];
  });
  return { needed, problems };
}
