import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { collectSchemas, generate } from '../../scripts/generate.js';
import { parse } from '../../src/documents/parse.js';

const folder = fileURLToPath(new URL('../../schemas/', import.meta.url));

it('schemas/ is what the literals in src give', async () => {
  expect((await generate({ check: true })).written).toEqual([]);
});

describe('every property has a description', async () => {
  const { documents, kinds } = await collectSchemas();
  for (const [name, schema] of Object.entries({ ...documents, ...kinds })) {
    it(name, () => expect(undescribed(schema, name)).toEqual([]));
  }
});

function undescribed(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {}, items, additionalProperties, anyOf = [], oneOf = [] } = schema as Record<string, object>;
  const here = Object.entries(properties).flatMap(([key, property]) => [
    ...((property as { description?: string }).description ? [] : [`${path}.${key}`]),
    ...undescribed(property, `${path}.${key}`),
  ]);
  const inside = [items, additionalProperties, ...Object.values(anyOf), ...Object.values(oneOf)];
  return [...here, ...inside.flatMap((one) => undescribed(one, path))];
}

describe('the schema for editors', () => {
  const schema = JSON.parse(readFileSync(join(folder, 'runbook.schema.json'), 'utf8')) as Record<string, unknown>;
  const valid = new Ajv.default({ strict: false, allErrors: true, logger: false }).compile(schema);
  const accepts = async (text: string) => valid((await parse(Buffer.from(text), 'x.yaml')).value);

  it('takes steps, groups and expressions', async () => {
    const text = [
      'name: x',
      'params: { limit: { type: integer } }',
      'steps:',
      '  - uses: check.load',
      '    with: { warning: "${{ params.limit }}" }',
      '  - steps:',
      '      - uses: run.command',
      '        with: { effect: read, command: uptime, ok-status: "${{ vars.ok }}" }',
      '    rescue:',
      '      - uses: flow.runbook',
      '        with: { file: other.yaml }',
      '',
    ].join('\n');

    expect(await accepts(text)).toBe(true);
  });

  it.each([
    ['a parameter of another kind', 'with: { effect: read }'],
    ['a misspelt parameter', 'with: { warnign: 1 }'],
    ['a misspelt key', 'whit: {}'],
  ])('refuses %s', async (_title, line) => {
    expect(await accepts(`name: x\nsteps:\n  - uses: check.load\n    ${line}\n`)).toBe(false);
  });

  it('is draft-07, as editors complete it', () => {
    for (const file of readdirSync(folder)) {
      const { $schema, $id } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, string>;
      expect($schema, file).toBe('http://json-schema.org/draft-07/schema#');
      expect($id, file).toMatch(/\/v1\/.*\.schema\.json$/);
    }
  });
});
