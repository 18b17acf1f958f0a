import type { JsonSchema } from '../../documents/json-schema.js';
import { patternProblems, patternsSchema } from '../patterns.js';
import { metricOf, optionalRange, rangeProblems, rangeSchema } from '../range.js';
import { type TextOrSecret, textOrSecret } from '../secret-param.js';
import type { StepProblem } from '../step.js';
import { type Expectation, type Finding, meet } from './expectation.js';
import type { Issue } from './issues.js';

/** Schema of a list of what values at some place must be. */
export function valuesSchema<const D extends string, const A extends string>(description: D, at: A) {
  return {
    type: 'array',
    minItems: 1,
    description,
    items: {
      type: 'object',
      properties: {
        at: { type: 'string', minLength: 1, description: at },
        equals: textOrSecret('What the value must be. In json, yaml and toml a number is not a text.'),
        matches: patternsSchema('Regular expressions (RE2) that must all occur in the value.'),
        range: rangeSchema('Fail when the number is outside this range.'),
        warning: rangeSchema('Warn when the number is outside this range.'),
        state: { enum: ['present', 'absent'], default: 'present', description: 'Whether it must be there.' },
        sensitive: { type: 'boolean', default: false, description: 'Never show the value.' },
      },
      required: ['at'],
      additionalProperties: false,
    },
  } as const satisfies JsonSchema;
}

/** One item of it as a kind sees it. Defaults inside a list are not filled in by everybody who calls. */
export interface WantedValue {
  readonly at: string;
  readonly equals?: TextOrSecret;
  readonly matches?: string | readonly string[];
  readonly range?: string | number;
  readonly warning?: string | number;
  readonly state?: Expectation['state'];
  readonly sensitive?: boolean;
}

/** `find` gives the values at a path; `typed` where a number is not a text. */
export function meetAll(
  wanted: readonly WantedValue[],
  find: (at: string) => readonly unknown[],
  typed: boolean,
): readonly Finding[] {
  return wanted.map(({ state = 'present', sensitive = false, ...rest }) =>
    meet({ ...rest, state, sensitive }, find(rest.at), typed),
  );
}

/** What is wrong, and the numbers that have limits. */
export function judgeValues(findings: readonly Finding[], wanted: readonly WantedValue[]) {
  const issues: readonly Issue[] = findings.flatMap(({ wrong }) => wrong ?? []);
  const metrics = findings.flatMap(({ at, number }, index) => {
    const { range, warning } = wanted[index] ?? {};
    if (number === null) return [];
    return [
      metricOf(at, number, 'count', {
        warning: optionalRange(warning, 'count'),
        critical: optionalRange(range, 'count'),
      }),
    ];
  });
  return { issues, metrics };
}

/** What is wrong with the list under the parameter `name`, for a kind's `validate`. */
export function valuesProblems(wanted: readonly WantedValue[] | undefined, name: string): StepProblem[] {
  return (wanted ?? []).flatMap((value, index) => {
    const place = [name, index];
    const { state, equals, matches, range, warning } = value;
    const wantsValue = [equals, matches, range, warning].some((one) => one !== undefined);
    return [
      ...[
        ...rangeProblems({ ...value }, { range: 'count', warning: 'count' }),
        ...patternProblems({ ...value }, ['matches']),
      ].map((problem) => ({ ...problem, path: [...place, ...problem.path] })),
      ...(state === 'absent' && wantsValue
        ? [
            {
              path: [...place, 'state'],
              what: 'what is absent has no value',
              hint: 'remove equals, matches, range and warning',
            },
          ]
        : []),
    ];
  });
}
