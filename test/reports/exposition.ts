export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const label = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\[\\\\"n])*)"';
const sample = new RegExp(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(${label}(?:,${label})*)?\\})? (\\S+)$`);

/** Reads the text format 0.0.4 of Prometheus. A series that comes twice or has no HELP and TYPE throws. */
export function readExposition(text: string): ReadonlyMap<string, readonly Series[]> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Series[]>();
  const known = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, what = '', name = ''] = comment;
      if (families.has(name)) throw new Error(`${what} of ${name} comes late`);
      known.set(name, `${known.get(name) ?? ''}${what}`);
      continue;
    }
    const match = sample.exec(line);
    const [, name = '', all = ''] = match ?? [];
    if (!match || known.get(name) !== 'HELPTYPE') throw new Error(`not a series: ${line.slice(0, 200)}`);
    const labels = Object.fromEntries(
      [...all.matchAll(new RegExp(label, 'g'))].map(([, key = '', value = '']) => [
        key,
        value.replace(/\\([\\"n])/g, (_, character) => (character === 'n' ? '\n' : character)),
      ]),
    );
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (Number.isNaN(value)) throw new Error(`not a number: ${line}`);
    const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw new Error(`series comes twice: ${line}`);
    seen.add(key);
    families.set(name, [...(families.get(name) ?? []), { labels, value }]);
  }
  return families;
}
