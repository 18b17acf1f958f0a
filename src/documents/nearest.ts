import { distance } from 'fastest-levenshtein';

/** The candidate that a typo most likely meant, or none when nothing is close. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const lower = typed.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = candidate.toLowerCase() === lower ? 0.5 : edit(lower, candidate.toLowerCase());
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

/** The step kind that was meant: `disk` is check.disk, as it is in `opsctl check disk`. */
export function nearestKind(typed: string, kinds: readonly string[]): string | undefined {
  return kinds.find((kind) => kind.split('.')[1] === typed) ?? nearest(typed, kinds);
}

/** Two letters swapped count as one slip. */
function edit(a: string, b: string): number {
  if (a.length === b.length) {
    for (let at = 0; at + 1 < a.length; at++) {
      if (a[at] !== b[at]) {
        const swapped = a.slice(0, at) + a[at + 1] + a[at] + a.slice(at + 2);
        if (swapped === b) return 1;
        break;
      }
    }
  }
  return distance(a, b);
}
