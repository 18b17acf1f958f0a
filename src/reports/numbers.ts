import { isCommand, type ResultGroup } from './groups.js';
import { standingKey } from './standing.js';

// A number by itself, with or without a per cent sign: no part of a name, a version, an address, a date or a time.
const number = /(?<![\w.,:/@-])\d+(?:\.\d+)?(?![\w:/@-]|[.,]\d)/g;

/** Good results of one step whose texts differ in nothing but numbers, as one: `load 0.1 … 0.4 per core`. */
export function foldNumbers(groups: readonly ResultGroup[], order: readonly string[]): readonly ResultGroup[] {
  const places = new Map(order.map((host, index) => [host, index]));
  const alike = new Map<string, ResultGroup[]>();
  for (const [index, group] of groups.entries()) {
    const key = canFold(group) ? keyOf(group) : String(index);
    const same = alike.get(key);
    if (same) same.push(group);
    else alike.set(key, [group]);
  }
  return [...alike.values()].map((same) => folded(same, places));
}

function canFold({ outcome, uses, findings }: ResultGroup): boolean {
  return outcome === 'ok' && findings.length === 0 && !isCommand(uses);
}

function keyOf(group: ResultGroup): string {
  const { step, item, reason, summary } = group;
  return JSON.stringify([step, item, reason, standingKey(group), summary.replace(number, '0')]);
}

function folded(groups: readonly ResultGroup[], places: ReadonlyMap<string, number>): ResultGroup {
  const [first] = groups as readonly [ResultGroup, ...ResultGroup[]];
  if (groups.length === 1) return first;
  const members = groups
    .flatMap(({ hosts, results }) => hosts.map((host, index) => ({ host, result: results[index] })))
    .sort((a, b) => (places.get(a.host) ?? 0) - (places.get(b.host) ?? 0));
  const since = groups.flatMap((group) => group.since ?? []).sort()[0];
  return {
    ...first,
    ...(since !== undefined && { since }),
    summary: spread(groups.map(({ summary }) => summary)),
    hosts: members.map(({ host }) => host),
    results: members.flatMap(({ result }) => result ?? []),
  };
}

/** The text that all have, with the lowest and the highest number where they differ. */
function spread(texts: readonly string[]): string {
  const numbers = texts.map((text) => text.match(number) ?? []);
  let place = -1;
  return (texts[0] ?? '').replace(number, () => {
    place += 1;
    const all = numbers.map((found) => found[place] ?? '0').sort((a, b) => Number(a) - Number(b));
    const [low = '', high = ''] = [all[0], all.at(-1)];
    return Number(low) === Number(high) ? low : `${low} … ${high}`;
  });
}
