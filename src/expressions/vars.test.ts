import { expect, it } from 'vitest';
import { UserError } from '../errors.js';
import type { Scope } from './expression.js';
import { resolveVars } from './vars.js';

const scope: Scope = { names: new Set(['host']), stepIds: new Set(), allStepIds: new Set() };
const placeOf = () => ({ file: 'r.yaml' });

it('renders each variable after those it needs', () => {
  const vars = {
    url: 'http://${{ vars.name }}:${{ vars.port }}',
    name: '${{ host.name }}.lan',
    port: 80,
    plain: ['x'],
  };

  const resolved = resolveVars(vars, scope, placeOf, { host: { name: 'web1' } });

  expect(resolved).toEqual({ url: 'http://web1.lan:80', name: 'web1.lan', port: 80, plain: ['x'] });
});

it('refuses a circle and names it', () => {
  const vars = { start: '${{ vars.a }}', a: '${{ vars.b }}', b: ['${{ vars.a }}'] };

  expect(() => resolveVars(vars, scope, placeOf)).toThrow(
    'E_VAR_CYCLE r.yaml variables refer to one another: a → b → a',
  );
  expect(() => resolveVars({ a: '${{ vars.a }}' }, scope, placeOf)).toThrow('a → a');
  expect(() => resolveVars({ a: '${{ vars["a" + "b"] }}', b: 1 }, scope, placeOf)).toThrow(UserError);
});

it('knows the variables of the scope too', () => {
  const outer = { ...scope, names: new Set(['vars'] as const), vars: new Set(['site']) };

  expect(resolveVars({ a: '${{ vars.site }}' }, outer, placeOf, { vars: { site: 'x' } })).toEqual({ a: 'x' });
  expect(() => resolveVars({ a: '${{ vars.stie }}' }, outer, placeOf)).toThrow('did you mean `site`?');
});
