import { cachedRegex, RegexError } from '../expressions/regex.js';
import type { StepProblem } from './step.js';

/** One pattern, or several of which each counts. */
export type Patterns = string | readonly string[] | undefined;

/** Schema of a parameter that takes one regular expression or several. */
export function patternsSchema<const D extends string>(description: D) {
  return {
    type: ['string', 'array'],
    minLength: 1,
    items: { type: 'string', minLength: 1 },
    minItems: 1,
    description,
  } as const;
}

export function listPatterns(patterns: Patterns): readonly string[] {
  return patterns === undefined ? [] : typeof patterns === 'string' ? [patterns] : patterns;
}

/** The first pattern that does not occur in the text. */
export function missingPattern(patterns: Patterns, subject: string): string | undefined {
  return listPatterns(patterns).find((pattern) => !cachedRegex(pattern).test(subject));
}

/** The first pattern that occurs in the text. */
export function foundPattern(patterns: Patterns, subject: string): string | undefined {
  return listPatterns(patterns).find((pattern) => cachedRegex(pattern).test(subject));
}

/** First group of the first occurrence, or the whole occurrence where the pattern has no group. */
export function extractText(pattern: string, subject: string): string | undefined {
  const groups = cachedRegex(pattern).find(subject)?.groups;
  return groups?.[1] ?? groups?.[0];
}

/** What is wrong with the patterns among `params`, for a kind's `validate`. */
export function patternProblems(params: Readonly<Record<string, unknown>>, names: readonly string[]): StepProblem[] {
  return names.flatMap((name) => {
    const value = params[name];
    const list = Array.isArray(value) ? value : [value];
    return list.flatMap((pattern, index) => {
      if (typeof pattern !== 'string' || pattern.includes('${{')) return [];
      try {
        cachedRegex(pattern);
        return [];
      } catch (error) {
        if (!(error instanceof RegexError)) throw error;
        const path = Array.isArray(value) ? [name, index] : [name];
        return [
          {
            code: 'E_REGEX',
            path,
            what: `not a regular expression: ${error.message}`,
            hint: 'patterns are RE2 syntax',
          },
        ];
      }
    });
  });
}
