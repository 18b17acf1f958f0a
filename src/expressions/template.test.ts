import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserError } from '../errors.js';
import type { Scope } from './expression.js';
import { hasTemplate } from './scan.js';
import { compileTemplate } from './template.js';

const scope: Scope = {
  names: new Set(['host', 'params']),
  params: new Map([
    ['n', 'integer'],
    ['list', 'array'],
    ['secret', 'string'],
  ]),
  stepIds: new Set(),
  allStepIds: new Set(),
};
const params = { n: 7, list: ['a', 'b'], secret: 'CANARY' };
const placeOf = () => ({ file: 'r.yaml' });
const render = (value: unknown, host: unknown = {}) =>
  compileTemplate(value, scope, placeOf).render({ params, host } as never);

describe('rendering', () => {
  it.each([
    ['${{ params.n }}', 7],
    ['${{ params.list }}', ['a', 'b']],
    ['n=${{ params.n }}, ${{params.n + 1}}', 'n=7, 8'],
    ['${{ {"a": {"b": 1}} }}', { a: { b: 1 } }],
    ['${{ "}}" }}', '}}'],
    ["${{ 'it}}' + \"'\" }}.", "it}}'."],
    ['$${{ params.n }}', '${{ params.n }}'],
    ['{{ params.n }}', '{{ params.n }}'],
    ['$ {{ $$ $', '$ {{ $$ $'],
    [{ a: ['${{ params.n }}', { b: true }] }, { a: [7, { b: true }] }],
    [5, 5],
    [null, null],
  ])('renders %j', (value, expected) => {
    expect(render(value)).toEqual(expected);
  });

  it('knows what is constant', () => {
    expect(compileTemplate({ a: '{{ x }}' }, scope, placeOf).constant).toBe(true);
    expect(compileTemplate({ a: '$${{ x }}' }, scope, placeOf).constant).toBe(true);
    expect(compileTemplate({ a: '${{ 1 }}' }, scope, placeOf).constant).toBe(false);
  });

  it.each(['list: ${{ params.list }}', 'host: ${{ host }}', 'null: ${{ null }}'])(
    'refuses what is no text in %s',
    (value) => {
      expect(() => render(value)).toThrow('cannot stand inside a text');
    },
  );

  it('reports every mistake with its place', () => {
    const source = 'x: "hi \\"q\\" ${{ params.m }}"';
    const value = ['hi "q" ${{ params.m }}', '${{ open', { '${{ key }}': 1 }];
    const place = (path: readonly (string | number)[]) =>
      path[0] === 0 ? { file: 'r', line: 1, column: 4, source } : { file: 'r' };
    let problems: UserError['problems'] = [];
    try {
      compileTemplate(value, scope, place);
    } catch (error) {
      problems = (error as UserError).problems;
    }

    expect(problems.map(({ code }) => code)).toEqual(['E_PARAM_UNKNOWN', 'E_EXPR_SYNTAX', 'E_EXPR_SYNTAX']);
    expect(problems[0]?.place).toMatchObject({ column: source.indexOf('params.m') + 8, length: 1 });
  });
});

describe('data from hosts', () => {
  const expressions = fc.constantFrom('${{ params.secret }}', '$${{', '{{ params.secret }}', '}}', '"', '${{');
  const texts = fc.array(fc.oneof(expressions, fc.string()), { maxLength: 5 }).map((parts) => parts.join(''));

  it('is never evaluated, wherever it lands', () => {
    fc.assert(
      fc.property(texts, (fact) => {
        expect(render('${{ host.fact }}', { fact })).toBe(fact);
        expect(render('<${{ host.fact }}>', { fact })).toBe(`<${fact}>`);
        expect(render({ a: ['${{ host.list }}'] }, { list: [fact] })).toEqual({ a: [[fact]] });
        expect(render('${{ host.fact + host.fact }}', { fact })).toBe(fact + fact);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves any value without an expression alone', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        if (!hasTemplate(value)) expect(render(value)).toBe(value);
      }),
    );
  });
});
