import { expect, it } from 'vitest';
import { problemLine } from '../errors.js';
import { stepKinds } from '../steps/index.js';
import type { JsonSchema } from './json-schema.js';
import { validateParams } from './params.js';
import { parse } from './parse.js';
import { runbookSchema, stepSchema } from './runbook.schema.js';
import { validate } from './validate.js';

async function check(text: string, validator: string, schema: JsonSchema, templates = false): Promise<string[]> {
  const file = await parse(Buffer.from(text), 'f.yaml');
  const { value, place, written } = file;
  const problems = await validate({ value, schema, validator, subject: 'it', place, written, templates });
  return problems.map(problemLine);
}

it('fills defaults in and converts nothing', async () => {
  const value = { uses: 'check.load', retry: {}, timeout: '5m' };
  const place = () => ({ file: 'f' });

  const problems = await validate({ value, schema: stepSchema, validator: 'step', subject: 'a step', place });

  expect(problems).toEqual([]);
  expect(value).toEqual({ uses: 'check.load', sensitive: false, timeout: '5m', retry: { attempts: 3, every: '5s' } });
});

it('tells a misspelt required key once', async () => {
  expect(await check('name: x\nstpes: []\n', 'runbook', runbookSchema)).toEqual([
    'E_KEY_UNKNOWN f.yaml:2:1 unknown key `stpes` in it; did you mean `steps`?',
  ]);
});

it('tells how YAML read a value of the wrong type', async () => {
  expect(await check('uses: 1.10\nsudo: no\ntags: x\nid: ~\nretry: { attempts: "3" }\n', 'step', stepSchema)).toEqual([
    'E_TYPE f.yaml:1:7 `uses` expects text, read as the number 1.1; quote it: "1.10"',
    'E_TYPE f.yaml:2:7 `sudo` expects true or false, got the text "no"; write `false`',
    'E_TYPE f.yaml:3:7 `tags` expects a list, got the text "x"; write a list: [x]',
    'E_TYPE f.yaml:4:5 `id` expects text, got nothing; give it a value, or remove the key',
    'E_TYPE f.yaml:5:20 `attempts` expects a whole number, got the text "3"; remove the quotes: 3',
  ]);
});

it('leaves what an expression decides until it is rendered', async () => {
  const text =
    'uses: x\nretry: { attempts: "${{ 1 + 1 }}", every: "${{ params.wait }}" }\nid: "a-${{ x }}"\nsudo: "x ${{ y }}"\n';

  expect(await check(text, 'step', stepSchema, true)).toEqual([
    'E_TYPE f.yaml:4:7 `sudo` expects true or false, got the text "x ${{ y }}"; write `true` or `false`',
  ]);
});

it('judges parameters after rendering with the same words', async () => {
  const kind = await (stepKinds['run.command'] as NonNullable<(typeof stepKinds)[string]>)();
  const place = () => ({ file: 'f.yaml', line: 1, column: 1 });

  const problems = await validateParams(kind, { command: 'true', effect: 'maybe' }, { place });

  expect(problems.map(problemLine)).toEqual(['E_ENUM f.yaml:1:1 `effect` is "maybe", not one of read, change']);
});

it('never prints a secret that was written in plain text', async () => {
  const schema = {
    type: 'object',
    properties: { password: { type: 'object', properties: { secret: { type: 'string' } }, required: ['secret'] } },
  } as const;
  const errors = [
    {
      keyword: 'type',
      instancePath: '/password',
      schemaPath: '#/properties/password/type',
      params: { type: 'object' },
    },
  ];
  const file = await parse(Buffer.from('password: hunter2\n'), 'f.yaml');
  const { explainError } = await import('./explain.js');
  const base = {
    value: file.value,
    schema,
    validator: 'none',
    subject: 'it',
    place: file.place,
    written: file.written,
  };

  const problem = explainError({ ...(errors[0] as NonNullable<(typeof errors)[0]>), path: ['password'] }, base);

  expect(problem.code).toBe('E_SECRET_LITERAL');
  expect(JSON.stringify(problem)).not.toContain('hunter2');
});
