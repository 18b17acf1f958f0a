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
  // A mode, a code, a phone number: who writes a leading zero means the characters.
  if (/^[-+]?0\d/.test(written)) {
    return {
      code: 'E_TYPE',
      what: `${written} is read as the number ${value}`,
      hint: `quote it: "${written}"; or write ${value}`,
    };
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(written)) {
    return {
      code: 'E_NUM_PRECISION',
      what: `the number ${written} cannot be kept exactly`,
      hint: `quote it: "${written}"`,
    };
  }
  return undefined;
}
