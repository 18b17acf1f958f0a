/** Reads the output of a monitoring plug-in by the grammar of the Monitoring Plugins guidelines, or throws. */
export function pluginOutput(output: string): PluginOutput {
  const [first = '', ...rest] = output.trimEnd().split('\n');
  const [head = '', numbers = '', ...more] = first.split('|');
  if (more.length > 0 || rest.some((line) => line.includes('|'))) throw new Error(`a pipe too many: ${output}`);
  const match = /^([A-Z]+) (OK|WARNING|CRITICAL|UNKNOWN)(?: - |: )(.*)$/.exec(head);
  if (!match) throw new Error(`no status line: ${head}`);
  return { service: match[1] ?? '', state: match[2] ?? '', text: match[3] ?? '', perf: perfdata(numbers.trim()) };
}

export interface PluginOutput {
  readonly service: string;
  readonly state: string;
  readonly text: string;
  readonly perf: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const number = '-?(?:\\d+\\.?\\d*|\\.\\d+)';
const range = `@?(?:(?:~|${number})?:)?(?:${number})?`;
const datum = new RegExp(
  `^(?:'((?:[^'=|]|'')+)'|([^\\s'=|]+))=(U|${number})(s|us|ms|%|[KMGTP]?i?B|c)?` +
    `(?:;(${range}))?(?:;(${range}))?(?:;(${number})?)?(?:;(${number})?)?;?(?:\\s+|$)`,
);

function perfdata(text: string): Map<string, Readonly<Record<string, string>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  let rest = text;
  while (rest !== '') {
    const match = datum.exec(rest);
    if (!match) throw new Error(`not performance data: ${rest}`);
    const [all, quoted, plain, value, unit, warning, critical, min, max] = match;
    const label = quoted?.replaceAll("''", "'") ?? plain ?? '';
    if (found.has(label)) throw new Error(`label ${label} comes twice`);
    const fields = { value, unit, warning, critical, min, max };
    found.set(label, Object.fromEntries(Object.entries(fields).filter(([, field]) => field)) as Record<string, string>);
    rest = rest.slice(all.length);
  }
  return found;
}
