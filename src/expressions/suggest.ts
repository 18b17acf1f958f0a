import { distance } from 'fastest-levenshtein';

/** ``did you mean `name`?`` when one of the candidates is close enough to be a slip. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const [best] = [...candidates]
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= allowed)
    .sort((a, b) => a.edits - b.edits);
  return best && `did you mean \`${best.candidate}\`?`;
}
