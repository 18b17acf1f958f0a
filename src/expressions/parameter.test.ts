import { describe, expect, it } from 'vitest';
import { compileExpression, type Scope } from './expression.js';
import { plainParameter } from './parameter.js';

const scope: Scope = {
  names: new Set(['params', 'host']),
  params: new Map([
    ['port', 'integer'],
    ['list', 'array'],
    ['in', 'string'],
  ]),
  stepIds: new Set(),
  allStepIds: new Set(),
};
const withEngine = (source: string) => compileExpression(`(${source})`, scope, { file: 'x.yaml' });
const plain = (source: string) => plainParameter(source, scope, () => withEngine(source));

describe('plainParameter', () => {
  it.each(['params.other', 'params.in', 'params.port + 1', 'params', 'host.name', 'params.port.x', 'params["port"]'])(
    'leaves %s to the engine',
    (source) => {
      expect(plain(source)).toBeUndefined();
    },
  );

  it.each([[8080], ['8080'], [''], [true], [0]])('gives %j as the engine does', (port) => {
    const context = { params: { port } };

    expect(plain(' params.port ')?.evaluate(context)).toBe(port);
    expect(withEngine('params.port').evaluate(context)).toBe(port);
  });

  it('asks the engine for lists and for what is missing', () => {
    expect(plain('params.list')?.evaluate({ params: { list: [1, 'a'] } })).toEqual([1, 'a']);
    expect(() => plain('params.port')?.evaluate({ params: {} })).toThrow(/port/);
  });

  it('uses what the engine says that it uses', () => {
    expect(plain('params.port')?.uses).toEqual(withEngine('params.port').uses);
  });
});
