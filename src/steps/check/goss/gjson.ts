/**
 * The plain part of gjson's paths: keys and indexes joined by dots, `\.` for a dot in a key, `#` for a length or, in the
 * middle, for every item, and `@this`. Undefined for what goes beyond: wildcards, queries, pipes and modifiers.
 */
export function readGjsonPath(path: string): readonly string[] | undefined {
  if (path === '@this') return [];
  const parts = path.match(/(?:\\.|[^.\\])+/g) ?? [];
  if (path === '' || parts.join('.') !== path) return undefined;
  if (parts.some((part) => /(?<!\\)[*?|@{[!]/.test(part) || (part.startsWith('#') && part !== '#'))) return undefined;
  return parts.map((part) => part.replaceAll(/\\(.)/g, '$1'));
}

/** What stands at a path; undefined when nothing does. */
export function gjsonAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const [index, part] of path.entries()) {
    if (part === '#' && Array.isArray(at)) {
      const rest = path.slice(index + 1);
      if (rest.length === 0) return at.length;
      return at.map((item) => gjsonAt(item, rest)).filter((item) => item !== undefined);
    }
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part) || (Array.isArray(at) && !/^\d+$/.test(part)))
      return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}
