import { distance } from 'fastest-levenshtein';

/** ``did you mean `name`?`` when one of the candidates is close enough to be a slip. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const [best] = [...candidates]
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= allowed || (edits === 2 && letters(candidate) === letters(word)))
    .sort((a, b) => a.edits - b.edits);
  return best && `did you mean \`${best.candidate}\`?`;
}

// Two swapped letters are two edits but one slip.
function letters(word: string): string {
  return [...word.toLowerCase()].sort().join('');
}
