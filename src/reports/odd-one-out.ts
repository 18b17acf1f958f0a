import type { RunResult } from '../result/result.schema.js';
import { escapeLine, escapeText, guardLog, printJson } from './escape.js';
import { foldHosts } from './hosts.js';

/** One thing that was asked of all hosts. */
export interface Comparison {
  readonly name: string;
  /** Hosts with the same answer, the fewest first; those without one last. */
  readonly groups: readonly Group[];
  readonly same: boolean;
}

interface Group {
  readonly hosts: readonly string[];
  /** Null where it could not be told. */
  readonly value: string | null;
  readonly problem?: string;
}

/** What one host says: a text, or why there is none. */
export type Answer = { readonly value: string } | { readonly problem: string };

/** Groups hosts by equal answers. Lines for which `ignores` is true do not count. */
export function compareAnswers(
  name: string,
  answers: ReadonlyMap<string, Answer>,
  ignores: (line: string) => boolean,
): Comparison {
  const groups = new Map<string, { hosts: string[]; value: string | null; problem?: string }>();
  for (const [host, answer] of answers) {
    const value = 'value' in answer ? withoutLines(answer.value, ignores) : null;
    const key = JSON.stringify([value, 'problem' in answer ? answer.problem : undefined]);
    const group = groups.get(key);
    if (group) group.hosts.push(host);
    else groups.set(key, { hosts: [host], value, ...('problem' in answer && { problem: answer.problem }) });
  }
  const sorted = [...groups.values()].sort(
    (a, b) => Number(a.value === null) - Number(b.value === null) || a.hosts.length - b.hosts.length,
  );
  return { name, groups: sorted, same: sorted.filter(({ value }) => value !== null).length <= 1 };
}

function withoutLines(text: string, ignores: (line: string) => boolean): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => !ignores(line))
    .join('\n');
}

/** Lines of a difference that are shown for a group. */
const shownLines = 12;

/** What differs, the odd ones first; what is the same in one line. */
export function comparisonText(comparisons: readonly Comparison[], { whole }: { readonly whole: boolean }): string {
  const hosts = comparisons[0]?.groups.reduce((sum, group) => sum + group.hosts.length, 0) ?? 0;
  const parts = comparisons.filter((one) => !one.same || hasProblem(one)).map((one) => differenceText(one, whole));
  const same = comparisons.filter((one) => one.same && !hasProblem(one)).map(({ name }) => name);
  if (same.length > 0) parts.push(`the same on ${plural(hosts, 'host')}: ${same.map(escapeLine).join(', ')}\n`);
  return guardLog(parts.join('\n'));
}

export function comparisonJson(compared: readonly Comparison[]): string {
  return `${printJson({ schema: 'opsctl.comparison/1', compared }, 2)}\n`;
}

function hasProblem({ groups }: Comparison): boolean {
  return groups.some(({ value }) => value === null);
}

function differenceText({ name, groups }: Comparison, whole: boolean): string {
  const known = groups.filter(({ value }) => value !== null);
  const most = known.at(-1);
  const values = plural(known.length, 'value');
  const lines = [`${escapeLine(name)}: ${values}`];
  for (const group of groups) {
    lines.push(`  ${foldHosts(group.hosts).map(escapeLine).join(' ')}  (${group.hosts.length})`);
    if (group.value === null) lines.push(`      not known: ${escapeLine(group.problem ?? '')}`);
    else if (group !== most && most?.value && (group.value.includes('\n') || most.value.includes('\n')))
      lines.push(...limited(differenceOf(most.value, group.value), whole).map((line) => `      ${line}`));
    else if (group === most && group.value.includes('\n') && known.length > 1 && !whole)
      lines.push(`      ${plural(group.value.split('\n').length, 'line')}, what the others are compared with`);
    else
      lines.push(...limited(group.value.split('\n'), whole).map((line) => `      ${escapeText(line) || '(nothing)'}`));
  }
  return `${lines.join('\n')}\n`;
}

/** Lines that the odd one lacks (-) and has besides (+), each as often as it is so. */
function differenceOf(common: string, odd: string): string[] {
  const [usual, own] = [common.split('\n'), odd.split('\n')];
  const shown = [
    ...notAmong(own, usual).map((line) => `- ${line}`),
    ...notAmong(usual, own).map((line) => `+ ${line}`),
  ];
  return (shown.length > 0 ? shown : ['the same lines in another order']).map((line) => escapeText(line));
}

/** The lines that `others` does not have, or not as often. */
function notAmong(others: readonly string[], lines: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

function limited(lines: readonly string[], whole: boolean): readonly string[] {
  if (whole || lines.length <= shownLines) return lines;
  return [...lines.slice(0, shownLines), `… ${lines.length - shownLines} more lines, -v shows them`];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A value of a step result by its path: `summary`, `data.values.kernel`, `metrics.used{/}`. */
export function answersOf(
  result: RunResult,
  step: string | undefined,
  path: string,
): ReadonlyMap<string, Answer> | undefined {
  const answers = new Map<string, Answer>();
  let known = false;
  for (const host of result.hosts) {
    const found = host.steps.find((one) => step === undefined || one.step === step || one.uses === step);
    known ||= found !== undefined;
    if (!found || ['unknown', 'unreachable', 'refused', 'skipped'].includes(found.outcome))
      answers.set(host.name, { problem: found?.summary ?? host.summary ?? 'no result' });
    else {
      const metrics = Object.fromEntries(found.metrics.map(({ name, value }) => [name, value]));
      const value = valueAt({ ...found, metrics }, path);
      answers.set(host.name, value === undefined ? { problem: `has no ${path}` } : { value: asText(value) });
    }
  }
  return known ? answers : undefined;
}

function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  // Names may have dots in them: the longest that fits wins.
  const parts = path.split('.');
  for (let count = parts.length; count > 0; count--) {
    const name = parts.slice(0, count).join('.');
    if (Object.hasOwn(value, name))
      return valueAt((value as Record<string, unknown>)[name], parts.slice(count).join('.'));
  }
  return undefined;
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(sorted(value), undefined, 1) : String(value);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
