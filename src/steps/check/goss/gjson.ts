/** A path of gjson, step by step; `@this` has none. */
export type GjsonPath = readonly (string | Query)[];

/** `#(name=="x")`: the first item of a list that fits; with another `#` behind it, all that do. */
interface Query {
  /** What of an item is compared: itself when there are no steps. */
  readonly path: GjsonPath;
  /** Empty where it is enough that the item has it. */
  readonly operator: string;
  readonly operand: string;
  readonly all: boolean;
}

/**
 * The plain part of gjson's paths: keys and indexes joined by dots, `\.` for a dot in a key, `#` for a length or, in the
 * middle, for every item, queries that compare one value, and `@this`. Undefined for what goes beyond: wildcards, pipes,
 * modifiers, patterns, queries in queries.
 */
export function readGjsonPath(path: string): GjsonPath | undefined {
  if (path === '@this') return [];
  const parts = path.match(/#\((?:"(?:\\.|[^"\\])*"|[^"()])*\)#?|(?:\\.|[^.\\])+/gs) ?? [];
  if (path === '' || parts.join('.') !== path) return undefined;
  const steps = parts.map((part) => (part.startsWith('#(') ? readQuery(part) : readKey(part)));
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

function readKey(part: string): string | undefined {
  if (/(?<!\\)[*?|@{[!]/.test(part) || (part.startsWith('#') && part !== '#')) return undefined;
  return part.replaceAll(/\\(.)/gs, '$1');
}

const query = /^#\(\s*([^"=!<>~%]*?)\s*(?:(==?|!=|[<>]=?)\s*("(?:\\.|[^"\\])*"|[^"=!<>~%]+?)\s*)?\)(#?)$/s;

function readQuery(part: string): Query | undefined {
  const [, left = '', operator = '', right = '', all] = query.exec(part) ?? [];
  const path = left === '' ? [] : readGjsonPath(left);
  if (!path || (left === '' && operator === '')) return undefined;
  const operand = right.startsWith('"') ? right.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : right;
  return { path, operator, operand, all: all === '#' };
}

/** What stands at a path; undefined when nothing does. */
export function gjsonAt(value: unknown, path: GjsonPath): unknown {
  let at = value;
  for (const [index, step] of path.entries()) {
    const rest = path.slice(index + 1);
    if (typeof step === 'object') {
      if (!Array.isArray(at)) return undefined;
      const items = at.filter((item) => fits(gjsonAt(item, step.path), step));
      if (step.all) return rest.length === 0 ? items : each(items, rest);
      at = items[0];
      continue;
    }
    if (step === '#' && Array.isArray(at)) return rest.length === 0 ? at.length : each(at, rest);
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step) || (Array.isArray(at) && !/^\d+$/.test(step)))
      return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}

function each(items: readonly unknown[], path: GjsonPath): readonly unknown[] {
  return items.map((item) => gjsonAt(item, path)).filter((item) => item !== undefined);
}

/** Numbers are compared as numbers, text as text; of true and false only whether they are the same. */
function fits(found: unknown, { operator, operand }: Query): boolean {
  if (found === undefined || operator === '') return found !== undefined;
  if (typeof found === 'boolean' && !operator.includes('=')) return false;
  const [left, right] = typeof found === 'number' ? [found, Number(operand)] : [String(found), operand];
  if (!['number', 'string', 'boolean'].includes(typeof found)) return false;
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '!=':
      return left !== right;
    default:
      return left === right;
  }
}
