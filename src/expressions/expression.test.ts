import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { compileExpression, EvaluationError, type ExpectedType, evaluateCondition, type Scope } from './expression.js';

const scope: Scope = {
  names: new Set(['host', 'vars', 'params', 'steps', 'run']),
  vars: new Set(['db_host', 'db_port']),
  params: new Map([
    ['count', 'integer'],
    ['name', 'string'],
    ['classes', 'array'],
    ['force', 'boolean'],
  ]),
  stepIds: new Set(['plan']),
  allStepIds: new Set(['plan', 'apply']),
};
const context = {
  host: { name: 'web1' },
  vars: { db_host: 'db1' },
  params: { count: 7, name: 'x', classes: ['security'], force: true },
  steps: {
    plan: {
      data: {
        count: 4,
        zero: 0,
        nothing: null,
        version: 'nginx 1.2.3',
        upgrades: [
          { name: 'a', size: 1 },
          { name: 'b', size: 5 },
        ],
        mixed: [1, 'a', null, { b: 2 }],
      },
    },
  },
};

function evaluate(source: string): unknown {
  return compileExpression(source, scope, { file: 'r.yaml' }).evaluate(context);
}

function problemsOf(source: string, expected: ExpectedType = 'any') {
  const line = `    when: ${source}`;
  try {
    compileExpression(source, scope, { file: 'r.yaml', line: 3, column: 11, source: line }, expected);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ code, what, hint, place }) => ({
      code,
      text: hint ? `${what}; ${hint}` : what,
      under: line.slice((place?.column ?? 0) - 1, (place?.column ?? 0) - 1 + (place?.length ?? 1)),
    }));
  }
  return [];
}

describe('values', () => {
  it.each([
    ['steps.plan.data.count > 3', true],
    ['params.count + 1', 8],
    ['params.count / 2', 3.5],
    ['params.count / 2.0', 3.5],
    ['params.count % 4', 3],
    ['7 / 2', 3.5],
    ['int(7) / int(2)', 3],
    ['1 == 1.0', true],
    ['int(1) == 1.0', true],
    ['steps.plan.data.upgrades.size() / 4', 0.5],
    ['size(steps.plan.data.upgrades) == 2', true],
    ['steps.plan.data.count in [1, 2, 4]', true],
    ['-params.count', -7],
  ])('treats whole and broken numbers alike: %s', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  it.each([
    ['steps.plan.data.mixed', [1, 'a', null, { b: 2 }]],
    ['"a" in steps.plan.data.mixed', true],
    ['null in steps.plan.data.mixed', true],
    ['steps.plan.data.mixed[3].b', 2],
    ['steps.plan.data.nothing == null', true],
    ['steps.plan.data.count == null', false],
    ['steps.plan.data.count == "4"', false],
    ['{"a": [1, "b"]}', { a: [1, 'b'] }],
    ['params', context.params],
    ['steps.plan.data.upgrades.filter(u, u.size > 2)', [{ name: 'b', size: 5 }]],
  ])('keeps JSON values as they are: %s', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  it.each([
    ['steps.plan.data.gone', 'no such key `gone`'],
    ['steps.plan.data.upgrades[9].name', 'index out of bounds'],
    ['steps.plan.data.count / steps.plan.data.zero', 'division by zero'],
    ['steps.plan.data.version > 3', '`>` does not work on a text and a number'],
    ['host.__proto__', 'no such key `__proto__`'],
    ['host.constructor', 'no such key `constructor`'],
    ['host.name.toString', 'no such key `toString`'],
    ['run["hasOwnProperty"]', 'no such key `hasOwnProperty`'],
    ['steps.plan.data.version.matches("(" + "")', 'bad regular expression: missing closing )'],
    ['steps.plan.data.mixed.sum()', 'sum() needs a list of numbers'],
    ['9007199254740993', 'the number is too large'],
  ])('fails with a plain sentence: %s', (source, message) => {
    expect(() => evaluate(source)).toThrow(EvaluationError);
    expect(() => evaluate(source)).toThrow(message);
  });

  it('reads keys of host data that are named like members of every object', () => {
    const data = JSON.parse('{"constructor": {"name": "c"}, "__proto__": {"polluted": 1}, "toString": 2}');
    const at = (source: string) => compileExpression(source, scope, { file: 'r' }).evaluate({ host: data });

    expect(at('host.constructor.name')).toBe('c');
    expect(at('host.__proto__.polluted')).toBe(1);
    expect(at('host.toString + 1')).toBe(3);
    expect(at('size(host)')).toBe(3);
    expect(at('host.map(k, k)')).toEqual(['constructor', '__proto__', 'toString']);
  });

  it('refuses values that are not JSON', () => {
    class Handle {}
    const expression = compileExpression('host.handle', scope, { file: 'r' });

    expect(() => expression.evaluate({ host: { handle: new Handle() } })).toThrow('a Handle cannot be used');
  });
});

describe('conditions', () => {
  it('accepts only true and false', () => {
    const condition = compileExpression('steps.plan.data.upgrades', scope, { file: 'r' });

    expect(() => evaluateCondition(condition, context)).toThrow('the condition gives a list, not true or false');
  });

  it.each([
    ['params.count', 'boolean', 'the expression gives a number, not true or false'],
    ['params.name', 'list', 'the expression gives a text, not a list'],
    ['"yes"', 'boolean', 'the expression gives a text, not true or false'],
  ] as const)('refuses a type that cannot fit before anything runs: %s', (source, expected, text) => {
    expect(problemsOf(source, expected)[0]).toMatchObject({ code: 'E_EXPR_TYPE', text: expect.stringContaining(text) });
  });

  it('accepts the types that fit', () => {
    expect(problemsOf('params.force && steps.plan.data.ready', 'boolean')).toEqual([]);
    expect(problemsOf('params.classes', 'list')).toEqual([]);
    expect(problemsOf('steps.plan.data.list', 'list')).toEqual([]);
  });
});

describe('mistakes', () => {
  it.each([
    ['vars.db_hsot == 1', 'E_VAR_UNDEFINED', 'db_hsot', 'did you mean `db_host`?'],
    ['steps.pln.data', 'E_STEP_ID', 'pln', 'did you mean `plan`?'],
    ['steps["apply"].data', 'E_STEP_LATER', '"apply"', 'step `apply` comes later'],
    ['params.cuont > 1', 'E_PARAM_UNKNOWN', 'cuont', 'did you mean `count`?'],
    ['hosst.name', 'E_EXPR_NAME', 'hosst', 'did you mean `host`?'],
    ['item.name', 'E_EXPR_NAME', 'item', '`item` exists in a step with `each`'],
    ['nginx', 'E_EXPR_NAME', 'nginx', 'text goes in quotes'],
    ['params.name.uper()', 'E_EXPR_NAME', 'uper', 'did you mean `upper`?'],
    ['upper(params.name)', 'E_EXPR_NAME', 'upper', 'write `x.upper(…)`'],
    ['type(1)', 'E_EXPR_NAME', 'type', 'unknown function `type`'],
    ['params.name == 3', 'E_EXPR_TYPE', 'params.name == 3', '`==` does not work on a text and a number'],
    ['params.name + 1', 'E_EXPR_TYPE', 'params.name + 1', 'turn it into text with `string(…)`'],
    ['params.count && true', 'E_EXPR_TYPE', 'params.count && true', '`&&` and `||` do not work on a number'],
    ['params.force = true', 'E_EXPR_SYNTAX', '=', 'write `==` to compare'],
    ['params.force and true', 'E_EXPR_SYNTAX', 'and', 'write `&&`'],
    ['params.force & true', 'E_EXPR_SYNTAX', '&', 'write `&&`'],
    ['(params.count', 'E_EXPR_SYNTAX', '', 'ends too early'],
    ['${{ params.force }}', 'E_EXPR_SYNTAX', '${{ params.force }}', 'write it without `${{ }}`'],
    ['host.name.matches("(?<=x)y")', 'E_REGEX', '(?<=', 'look-behind is not supported (linear engine)'],
    ['host.name.matches("a(?!b)")', 'E_REGEX', '(?!', 'look-ahead is not supported'],
    ['host.name.find("[")', 'E_REGEX', '[', 'missing closing ]'],
    [' '.repeat(3), 'E_EXPR_SYNTAX', '   ', 'the expression is empty'],
  ])('points at the mistake in %s', (source, code, under, text) => {
    expect(problemsOf(source)[0]).toEqual({ code, under, text: expect.stringContaining(text) });
  });

  it.each([
    ['parentheses', `${'('.repeat(99)}1${')'.repeat(99)}`, 'nested too deeply'],
    ['signs', `${'!'.repeat(9_000)}true`, 'the expression is '],
    ['terms', `${'1+'.repeat(1_500)}1`, 'the expression is too long'],
    ['characters', 'x'.repeat(20_000), 'longer than 10000 characters'],
  ])('refuses thousands of %s', (_, source, text) => {
    expect(problemsOf(source)[0]).toMatchObject({ code: 'E_EXPR_SYNTAX', text: expect.stringContaining(text) });
  });

  it('reports every unknown name at once', () => {
    const codes = problemsOf('vars.a == 1 && steps.b.data && params.c').map(({ code }) => code);

    expect(codes).toEqual(['E_VAR_UNDEFINED', 'E_STEP_ID', 'E_PARAM_UNKNOWN']);
  });

  it('allows variables that may be absent where the expression asks for that', () => {
    expect(problemsOf('has(vars.maybe) && default(vars.other, 1) > 0')).toEqual([]);
  });

  it('points into quoted scalars past their escapes', () => {
    const place = { file: 'r', line: 1, column: 7 };
    const at = (source: string, text: string) => {
      try {
        compileExpression(text, scope, { ...place, source });
      } catch (error) {
        return (error as UserError).problems[0]?.place;
      }
      return undefined;
    };

    expect(at(`when: 'params.name == ''a'' && vars.gone'`, `params.name == 'a' && vars.gone`)).toMatchObject({
      column: 37,
      length: 4,
    });
    expect(at('when: "params.name == \\"a\\" && vars.gone"', 'params.name == "a" && vars.gone')).toMatchObject({
      column: 37,
      length: 4,
    });
    expect(at('when: |', 'params.name == "a" &&\n vars.gone')).toMatchObject({ column: 7 });
  });
});

describe('uses', () => {
  it('tells what an expression needs', () => {
    const { uses } = compileExpression('steps.plan.data.l.exists(host, host == vars.db_host)', scope, { file: 'r' });

    expect([...uses.names].sort()).toEqual(['steps', 'vars']);
    expect([...uses.steps]).toEqual(['plan']);
    expect([...uses.vars]).toEqual(['db_host']);
  });

  it('counts every earlier step where the id is computed', () => {
    const { uses } = compileExpression('steps[params.name].data', scope, { file: 'r' });

    expect([...uses.steps]).toEqual(['plan']);
  });
});

describe('bounds', () => {
  const numbers = Array.from({ length: 2_000 }, (_, index) => index);
  const run = (source: string) => compileExpression(source, scope, { file: 'r' }).evaluate({ host: { n: numbers } });

  it('stops nested loops', () => {
    const loop = 'host.n.exists(a, host.n.exists(b, host.n.exists(c, c < 0)))';

    expect(() => run(loop)).toThrow('the expression takes more than 1,000,000 steps');
    expect(() => run(loop.replaceAll('exists', 'all').replace('<', '>='))).toThrow('1,000,000 steps');
    expect(() => run('host.n.map(a, host.n.map(b, a + b))')).toThrow('1,000,000 steps');
  });

  it('stops lists and texts that double', () => {
    expect(() => run(`[["a"]]${'.map(x, x + x)'.repeat(40)}`)).toThrow('the list grows too long');
    expect(() => run(`["a"]${'.map(x, x + x)'.repeat(40)}`)).toThrow('the text grows too long');
  });

  it('gives each evaluation its own budget', () => {
    const expression = compileExpression('host.n.all(x, x >= 0)', scope, { file: 'r' });

    for (let round = 0; round < 1_000; round += 1) expect(expression.evaluate({ host: { n: numbers } })).toBe(true);
  });

  it('matches in linear time', () => {
    const text = `${'a'.repeat(100_000)}!`;
    const expression = compileExpression('host.text.matches("^(a+)+$")', scope, { file: 'r' });
    expression.evaluate({ host: { text: 'warm' } });

    const start = performance.now();
    const matched = expression.evaluate({ host: { text } });

    expect(matched).toBe(false);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

it('meets any text with a value, a UserError or an EvaluationError', () => {
  const words = fc.constantFrom(
    ...[
      'steps',
      '.plan',
      '.data',
      'params',
      '.count',
      'vars',
      '[',
      ']',
      '(',
      ')',
      '.map(',
      'x',
      ',',
      '"',
      "'",
      '\\',
      '{',
    ],
    ...[
      '}',
      ':',
      '?',
      '&&',
      '!',
      '-',
      '1',
      '1.5',
      ' + ',
      ' == ',
      ' in ',
      'has(',
      'default(',
      '.size()',
      '.matches("',
      '$',
    ],
  );
  const sources = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words, { maxLength: 15 }).map((parts) => parts.join('')),
  );

  fc.assert(
    fc.property(sources, (source) => {
      try {
        compileExpression(source, scope, { file: 'r', line: 1, column: 1, source }).evaluate(context);
      } catch (error) {
        if (!(error instanceof UserError) && !(error instanceof EvaluationError)) throw error;
      }
    }),
    { numRuns: 10_000 },
  );
});
