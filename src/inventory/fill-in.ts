import type { Place } from '../errors.js';
import type { Values } from './draft.js';

/** What a variable may say about its own host: `${{ host.name }}`. */
export interface NamedHost {
  readonly name: string;
  readonly groups: readonly string[];
  readonly address: string;
}

/** Gives the variables of one host with their `${{ }}` filled in. Throws a UserError with the place of a mistake. */
export type FillIn = (vars: Values, host: NamedHost, placeOf: (name: string) => Place) => Values;

/** Loads the expression engine: only for inventories that hold a `${{`. */
export async function loadFillIn(): Promise<FillIn> {
  const { resolveVars } = await import('../expressions/index.js');
  const scope = {
    names: new Set(['host', 'vars'] as const),
    vars: new Set<string>(),
    stepIds: new Set<string>(),
    allStepIds: new Set<string>(),
  };
  return (vars, host, placeOf) =>
    Object.freeze(resolveVars(vars, scope, ([name]) => placeOf(String(name)), { host: { ...host } }));
}
