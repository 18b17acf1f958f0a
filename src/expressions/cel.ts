import { createRequire } from 'node:module';

type Cel = typeof import('@marcbachmann/cel-js');
let loaded: Cel | undefined;

/** The engine's package, loaded for the first expression that needs it: many only name a parameter. */
export function cel(): Cel {
  loaded ??= createRequire(import.meta.url)('@marcbachmann/cel-js') as Cel;
  return loaded;
}
