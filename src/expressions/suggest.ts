import { nearest } from '../documents/nearest.js';

/** ``did you mean `name`?`` when one of the candidates is close enough to be a slip. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const name = nearest(word, candidates);
  return name && `did you mean \`${name}\`?`;
}
