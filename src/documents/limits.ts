import type { Problem } from '../errors.js';

export const sizeLimit = 10 * 1024 * 1024;
export const depthLimit = 64;
/** Nodes that all aliases of a file may add. */
export const expansionLimit = 10_000;

/** Keys that reach an object's prototype when code copies values around. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Numbers that would not arrive as they were written. */
export function numberProblem(written: string, value: number): Pick<Problem, 'code' | 'what' | 'hint'> | undefined {
  if (!Number.isFinite(value)) return { code: 'E_RANGE', what: `must be a finite number, got ${written}` };
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(written)) {
    return {
      code: 'E_NUM_PRECISION',
      what: `the number ${written} cannot be kept exactly`,
      hint: `quote it: "${written}"`,
    };
  }
  return undefined;
}
