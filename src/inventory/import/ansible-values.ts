import { UnsafeText } from '../../documents/unsafe-text.js';
import type { Place, Problem } from '../../errors.js';

/**
 * What Ansible would compute and opsctl does not: Jinja and vaults. Both are refused, for a value that is half
 * understood is worse than none.
 */
export function refuseValue(value: unknown, name: string, place: () => Place): Problem | undefined {
  const text = findText(value, (candidate) => /\{\{|\{%|\{#|^\$ANSIBLE_VAULT;/.test(candidate));
  if (text === undefined) return undefined;
  return text.startsWith('$ANSIBLE_VAULT;') ? vaultProblem(name, place()) : jinjaProblem(name, place());
}

export function jinjaProblem(name: string, place: Place): Problem {
  return {
    code: 'E_INV_JINJA',
    what: `\`${name}\` holds a Jinja expression, which only Ansible can compute`,
    hint: 'write the value itself, or keep the variable out of this inventory (in YAML, `!unsafe` marks plain text)',
    place,
  };
}

export function vaultProblem(name: string, place: Place): Problem {
  return {
    code: 'E_INV_VAULT',
    what: `${name === '' ? 'the file' : `\`${name}\``} is encrypted with ansible-vault`,
    hint: 'keep the secret in env:, file: or exec:, and write { secret: "env:NAME" }',
    place,
  };
}

/** The value without its markers. */
export function plainValue(value: unknown): unknown {
  if (value instanceof UnsafeText) return value.text;
  if (Array.isArray(value)) return value.some(hasMarker) ? value.map(plainValue) : value;
  if (typeof value === 'object' && value !== null && hasMarker(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
  return value;
}

function hasMarker(value: unknown): boolean {
  if (value instanceof UnsafeText) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMarker);
}

function findText(value: unknown, wanted: (text: string) => boolean): string | undefined {
  if (typeof value === 'string') return wanted(value) ? value : undefined;
  if (typeof value !== 'object' || value === null || value instanceof UnsafeText) return undefined;
  for (const item of Object.values(value)) {
    const found = findText(item, wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
