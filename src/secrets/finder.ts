/** Finds many patterns at once: the leftmost, and the longest of those that start at one place. */
export interface Finder {
  find(text: string, from: number): { readonly index: number; readonly length: number } | undefined;
  /** Longest first. */
  readonly patterns: readonly string[];
  readonly longest: number;
}

const block = 3;

/**
 * Wu and Manber's search: most places are skipped by a table of three-character blocks. A regular
 * expression of all patterns is thirty times slower once a private key gives it a hundred of them.
 * Every pattern has at least `block` characters.
 */
export function createFinder(patterns: readonly string[]): Finder {
  const longestFirst = [...patterns].sort((a, b) => b.length - a.length);
  const window = Math.min(...longestFirst.map(({ length }) => length));
  const mask = 2 ** Math.min(16, Math.max(10, Math.ceil(Math.log2(patterns.length * 64)))) - 1;
  const hashBefore = (text: string, end: number) =>
    ((text.charCodeAt(end - 3) * 1_031) ^ (text.charCodeAt(end - 2) * 37) ^ text.charCodeAt(end - 1)) & mask;
  const shifts = new Uint16Array(mask + 1).fill(window - block + 1);
  const buckets = new Map<number, string[]>();
  for (const pattern of longestFirst) {
    for (let end = block; end <= window; end += 1) {
      const hash = hashBefore(pattern, end);
      shifts[hash] = Math.min(shifts[hash] as number, window - end);
    }
    const last = hashBefore(pattern, window);
    buckets.set(last, [...(buckets.get(last) ?? []), pattern]);
  }
  return {
    patterns: longestFirst,
    longest: longestFirst[0]?.length ?? 0,
    find(text, from) {
      let end = from + window;
      while (end <= text.length) {
        const hash = hashBefore(text, end);
        const shift = shifts[hash] as number;
        if (shift > 0) {
          end += shift;
          continue;
        }
        const index = end - window;
        const found = buckets.get(hash)?.find((pattern) => text.startsWith(pattern, index));
        if (found !== undefined) return { index, length: found.length };
        end += 1;
      }
      return undefined;
    },
  };
}
