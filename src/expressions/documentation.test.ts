import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { UserError } from '../errors.js';
import { functionNames, methodNames } from './engine.js';
import { compileExpression, type ExpressionContext, type ParamType, type Scope } from './expression.js';
import { compileTemplate } from './template.js';

const text = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');
const context = JSON.parse(blocks('json')[0] ?? '') as ExpressionContext & { vars: object };
const place = { file: 'docs/expressions.md' };
const scope: Scope = {
  names: new Set(['host', 'vars', 'params', 'steps', 'run']),
  vars: new Set(Object.keys(context.vars)),
  params: new Map<string, ParamType>([
    ['max', 'integer'],
    ['classes', 'array'],
  ]),
  stepIds: new Set(['disks']),
  allStepIds: new Set(['disks', 'later']),
};

function blocks(language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] ?? '');
}

/** `source // expected` of every line. */
function examples(language: string): (readonly [string, string])[] {
  return blocks(language)
    .flatMap((block) => block.trimEnd().split('\n'))
    .map((line) => {
      const [, source = '', expected = ''] = /^(.*?)\s+\/\/ (.*)$/.exec(line) ?? [];
      return [source, expected] as const;
    });
}

describe('docs/expressions.md', () => {
  it.each(examples('cel'))('%s gives %s', (source, expected) => {
    expect(compileExpression(source, scope, place).evaluate(context)).toEqual(JSON.parse(expected));
  });

  it.each(examples('template'))('%s renders as %s', (source, expected) => {
    expect(compileTemplate(source, scope, () => place).render(context)).toEqual(JSON.parse(expected));
  });

  it.each(examples('refused'))('%s is refused with %s', (source, code) => {
    let problems: UserError['problems'] = [];
    try {
      compileExpression(source, scope, place);
    } catch (error) {
      problems = (error as UserError).problems;
    }

    expect(problems.map((problem) => problem.code)).toEqual([code]);
  });

  it.each(examples('fails'))('%s fails with %s', (source, message) => {
    const expression = compileExpression(source, scope, place);

    expect(() => expression.evaluate(context)).toThrow(message);
  });

  it('shows a runbook whose expressions compile', () => {
    const inRunbook: Scope = { ...scope, names: new Set([...scope.names, 'item']), stepIds: new Set(['updates']) };
    const [runbook = ''] = blocks('yaml');
    const conditions = [...runbook.matchAll(/(?:when|each): (.*)/g)].map((match) => match[1] ?? '');

    expect(conditions).toHaveLength(2);
    for (const condition of conditions) compileExpression(condition, inRunbook, place);
    expect(compileTemplate(runbook, inRunbook, () => place).constant).toBe(false);
  });

  it('names every function there is', () => {
    const missing = [...functionNames, ...methodNames].filter((name) => !text.includes(`${name}(`));

    expect(missing).toEqual([]);
  });
});
