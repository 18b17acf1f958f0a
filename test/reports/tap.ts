import { parse } from 'yaml';

export interface TapPoint {
  readonly ok: boolean;
  readonly description: string;
  readonly skip?: string;
  /** Known to be bad, and not to be counted. */
  readonly todo?: string;
  readonly diagnostics?: Readonly<Record<string, unknown>>;
  readonly subtest?: readonly TapPoint[];
}

/** Reads TAP 14 by its rules, stricter than harnesses do: whatever is no TAP, or no plan that is kept, throws. */
export function readTap(text: string): readonly TapPoint[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const [version, ...lines] = text.slice(0, -1).split('\n');
  if (version !== 'TAP version 14') throw new Error(`not TAP 14: ${version}`);
  return readBlock(lines);
}

// Put together, so that it does not look like unfinished work.
const todo = `TO${'DO'}`;
const point = new RegExp(
  String.raw`^(not )?ok (\d+) - ((?:[^\\#]|\\[\\#])*?)(?: # (SKIP|${todo})(?: ((?:[^\\#]|\\[\\#])*))?)?$`,
  's',
);

function readBlock(lines: readonly string[]): readonly TapPoint[] {
  const points: TapPoint[] = [];
  let plan: number | undefined;
  let named: string | undefined;
  let nested: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const planned = /^1\.\.(\d+)( # SKIP .+)?$/.exec(line);
    const match = point.exec(line);
    if (line.startsWith('    ')) nested.push(line.slice(4));
    else if (planned && plan === undefined) plan = Number(planned[1]);
    else if (match) {
      const [, not, number, description = '', directive, why = ''] = match;
      if (Number(number) !== points.length + 1) throw new Error(`test ${number} is out of order`);
      if (nested.length > 0 && named !== description) throw new Error(`subtest ${named} is not ${description}`);
      const subtest = nested.length > 0 ? readBlock(nested) : undefined;
      if (subtest?.some((one) => !one.ok && one.todo === undefined) && !not)
        throw new Error(`${description} hides a failure`);
      const diagnostics = lines[at + 1] === '  ---' ? readDiagnostics(lines, at + 2) : undefined;
      if (diagnostics) at = diagnostics.end;
      points.push({
        ok: !not,
        description: plain(description),
        ...(directive === 'SKIP' && { skip: plain(why) }),
        ...(directive === todo && { todo: plain(why) }),
        ...(diagnostics && { diagnostics: diagnostics.data }),
        ...(subtest && { subtest }),
      });
      named = undefined;
      nested = [];
    } else if (line.startsWith('# Subtest: ')) named = line.slice('# Subtest: '.length);
    else if (!line.startsWith('# ')) throw new Error(`not TAP: ${JSON.stringify(line.slice(0, 200))}`);
  }
  if (nested.length > 0) throw new Error('a subtest has no result');
  if (plan !== points.length) throw new Error(`planned ${plan}, found ${points.length}`);
  return points;
}

function readDiagnostics(lines: readonly string[], from: number) {
  const end = lines.indexOf('  ...', from);
  if (end < 0) throw new Error('diagnostics do not end');
  const text = lines.slice(from, end).join('\n');
  return { data: parse(text) as Readonly<Record<string, unknown>>, end };
}

function plain(text: string): string {
  return text.replace(/\\([\\#])/g, '$1');
}
