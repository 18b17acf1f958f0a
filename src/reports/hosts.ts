/**
 * `web01 web02 web03 db1` as `web[01-03] db1`, in the notation of clustershell. A number may be anywhere
 * in a name; the last one in it varies.
 */
export function foldHosts(names: Iterable<string>): readonly string[] {
  const folds = new Map<string, { readonly before: string; readonly after: string; readonly numbers: Set<string> }>();
  const others = new Set<string>();
  for (const name of names) {
    const parts = lastNumber(name);
    if (!parts) {
      others.add(name);
      continue;
    }
    const key = JSON.stringify([parts.before, parts.after, padding(parts.digits)]);
    const fold = folds.get(key) ?? { before: parts.before, after: parts.after, numbers: new Set<string>() };
    fold.numbers.add(parts.digits);
    folds.set(key, fold);
  }
  joinPadded(folds);
  const folded = [...folds.values()].flatMap(({ before, after, numbers }) => {
    const list = [...numbers];
    return list.length === 1 ? [`${before}${list[0]}${after}`] : [`${before}[${ranges(list)}]${after}`];
  });
  return [...folded, ...others].sort(naturally);
}

/** Compares names as people do: `web2` before `web10`. */
export function naturally(a: string, b: string): number {
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

// Takes milliseconds to make.
let collator: Intl.Collator | undefined;

interface NumberedName {
  readonly before: string;
  readonly digits: string;
  readonly after: string;
}

// In `web01.dc2.example.com` the host number is the one before the first dot; in an address it is the last.
function lastNumber(name: string): NumberedName | undefined {
  const label = /^([^.]*?)(\d+)([^\d.]*)(\..*)?$/s.exec(name);
  const parts =
    label && !/^[\d.]+$/.test(name)
      ? { before: label[1] ?? '', digits: label[2] ?? '', after: `${label[3] ?? ''}${label[4] ?? ''}` }
      : /^[\d.]+$/.test(name)
        ? { before: name.replace(/\d+$/, ''), digits: /\d+$/.exec(name)?.[0] ?? '', after: '' }
        : undefined;
  // More digits than a number can hold exactly, or brackets of its own: shown as it is.
  if (!parts || parts.digits === '' || parts.digits.length > 15 || /[[\]]/.test(name)) return undefined;
  return parts;
}

/** Width that leading zeros give; 0 when there are none. */
function padding(digits: string): number {
  return digits.length > 1 && digits.startsWith('0') ? digits.length : 0;
}

// `web09` and `web10` belong together although only one of them shows its padding.
function joinPadded(
  folds: Map<string, { readonly before: string; readonly after: string; readonly numbers: Set<string> }>,
) {
  for (const [key, fold] of folds) {
    const [before, after, width] = JSON.parse(key) as [string, string, number];
    if (width === 0) continue;
    const plain = folds.get(JSON.stringify([before, after, 0]));
    for (const digits of plain?.numbers ?? []) {
      if (digits.length !== width) continue;
      plain?.numbers.delete(digits);
      fold.numbers.add(digits);
    }
    if (plain?.numbers.size === 0) folds.delete(JSON.stringify([before, after, 0]));
  }
}

function ranges(numbers: readonly string[]): string {
  const sorted = [...numbers].sort((a, b) => Number(a) - Number(b));
  const runs: { first: string; last: string }[] = [];
  for (const digits of sorted) {
    const run = runs.at(-1);
    if (run && Number(run.last) + 1 === Number(digits)) run.last = digits;
    else runs.push({ first: digits, last: digits });
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(',');
}
