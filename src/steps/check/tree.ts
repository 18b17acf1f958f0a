/** `/a/b` is a JSON pointer; `a.b` is the same with dots. `*` stands for every item of a list or map. */
export function findInTree(root: unknown, at: string): readonly unknown[] {
  let found = [root];
  for (const part of partsOf(at)) found = found.flatMap((value) => childrenOf(value, part));
  return found;
}

export function partsOf(at: string): readonly string[] {
  if (!at.startsWith('/')) return at.split('.');
  return at
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childrenOf(value: unknown, part: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    if (part === '*') return value;
    return /^(?:0|[1-9]\d*)$/.test(part) && Number(part) < value.length ? [value[Number(part)]] : [];
  }
  const map = value as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(map, part)) return [map[part]];
  return part === '*' ? Object.values(map) : [];
}
