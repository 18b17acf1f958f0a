import { nearest } from '../documents/nearest.js';
import { type Place, UserError } from '../errors.js';
import { compileRegex, RegexError } from '../expressions/regex.js';
import { compileGlob, isGlob } from './glob.js';
import type { Host, Inventory } from './inventory.js';
import { hostsOfGroup } from './members.js';
import { expandRange, HostRangeError } from './ranges.js';

export interface SelectOptions {
  /** Names of the hosts that did not end ok in the last run; what `@failed` stands for. */
  readonly lastFailed?: () => Iterable<string>;
  /** Where the pattern was written, for messages. A pattern of the command line has none. */
  readonly place?: Place;
}

/**
 * The hosts that a pattern names, in inventory order: `all`, `web*`, `a,b`, `prod,&db`, `all,!db1`, `~^web\d+`,
 * `web[0:2]`, `web[-1]`, `@failed`. A pattern that selects nothing, or names what is not there, is an error:
 * it never falls back to all hosts.
 * @throws UserError
 */
export function selectHosts(inventory: Inventory, pattern: string, options: SelectOptions = {}): readonly Host[] {
  const terms = splitPattern(pattern, inventory);
  if (terms.length === 0) throw refusal(options, 'empty host selection', 'name hosts or groups; "all" means all');
  // `all,!$SPARE` with an empty variable must not run on the hosts that were to be spared.
  if (terms.some((term) => term === '!' || term === '&'))
    throw refusal(options, `"${pattern}" has a "!" or "&" without a name`, 'name the hosts after it');
  const problems: UserError[] = [];
  const resolve = (term: string): ReadonlySet<string> => {
    try {
      return matchTerm(term, inventory, options);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error);
      return new Set();
    }
  };
  // A pattern that excludes nothing is fine, a plain name is a slip: the host would not be spared.
  const exclude = (term: string) =>
    isGlob(term) || term.startsWith('~') ? matchQuietly(term, inventory, options) : resolve(term);
  const included = terms.filter((term) => !/^[&!]/.test(term));
  let selected = new Set<string>();
  // Only "!web1" or "&web": taken from all hosts, as Ansible does.
  for (const term of included.length > 0 ? included : ['all']) for (const name of resolve(term)) selected.add(name);
  for (const term of terms.filter((term) => term.startsWith('&'))) {
    const other = resolve(term.slice(1));
    selected = new Set([...selected].filter((name) => other.has(name)));
  }
  for (const term of terms.filter((term) => term.startsWith('!'))) {
    for (const name of exclude(term.slice(1))) selected.delete(name);
  }
  if (problems.length > 0) throw new UserError(problems.flatMap((error) => error.problems));
  if (selected.size === 0) throw nothing(pattern, inventory, options);
  return [...inventory.hosts.values()].filter((host) => selected.has(host.name));
}

/**
 * Commas separate, outside the brackets of a regex. Without a comma, colons do, unless the whole is one name,
 * an address or a slice.
 */
function splitPattern(pattern: string, inventory: Inventory): string[] {
  const byComma = splitOutside(pattern, ',');
  const only = byComma[0];
  if (byComma.length > 1 || only === undefined) return byComma;
  const bare = only.replace(/^[&!]/, '');
  if (bare.startsWith('~') || inventory.hosts.has(bare) || inventory.groups.has(bare)) return [only];
  if (/^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(bare)) return [only];
  return splitOutside(only, ':');
}

function splitOutside(pattern: string, separator: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let term = '';
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const regex = /^\s*[&!]?~/.test(term);
    if (character === '\\' && regex) term += character + (characters[++at] ?? '');
    else if (character === separator && depth === 0) {
      terms.push(term);
      term = '';
    } else {
      if (character === '[' || (regex && (character === '(' || character === '{'))) depth++;
      if (character === ']' || (regex && (character === ')' || character === '}'))) depth = Math.max(0, depth - 1);
      term += character;
    }
  }
  return [...terms, term].map((part) => part.trim()).filter((part) => part !== '');
}

function matchTerm(term: string, inventory: Inventory, options: SelectOptions): ReadonlySet<string> {
  if (inventory.hosts.has(term)) return new Set([term]);
  if (term === '@failed') return matchFailed(inventory, options);
  if (term.startsWith('@'))
    throw refusal(options, `"${term}" is not a host selection`, '@failed is the only one with "@"');
  if (term.startsWith('~')) return matchRegex(term, inventory, options);
  const { base, slice } = splitSlice(term);
  const found = matchName(base, inventory, options);
  // `w[12]` is host 12 of the group w; where there is no w, it is a shell pattern or a range.
  const isSlice = slice !== undefined && (found.length > 0 || isKnown(base, inventory));
  const names = isSlice || slice === undefined ? found : matchName(term, inventory, options);
  const chosen = isSlice ? slice(names) : names;
  if (chosen.length === 0 && (slice !== undefined || !isKnown(base, inventory)))
    throw nothing(term, inventory, options);
  return new Set(chosen);
}

function matchQuietly(term: string, inventory: Inventory, options: SelectOptions): ReadonlySet<string> {
  try {
    return matchTerm(term, inventory, options);
  } catch (error) {
    if (error instanceof UserError && error.problems.every(({ code }) => code === 'E_NO_HOSTS')) return new Set();
    throw error;
  }
}

function matchFailed(inventory: Inventory, options: SelectOptions): ReadonlySet<string> {
  if (!options.lastFailed)
    throw refusal(
      options,
      '"@failed" needs a last run of the same runbook',
      'use it with `opsctl run RUNBOOK -l @failed`',
    );
  return new Set([...options.lastFailed()].filter((name) => inventory.hosts.has(name)));
}

function matchRegex(term: string, inventory: Inventory, options: SelectOptions): ReadonlySet<string> {
  try {
    const regex = compileRegex(term.slice(1));
    // From the start of the name, as in Ansible: a pattern must not select more hosts here than there.
    const matches = (name: string) => regex.find(name)?.index === 0;
    const names = matchAll(matches, inventory);
    if (names.length === 0) throw nothing(term, inventory, options);
    return new Set(names);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const what = `"${term}": ${error.message} at character ${error.index + 1}`;
    throw new UserError({
      code: 'E_REGEX',
      what,
      hint: 'write a regular expression in RE2 syntax',
      ...(options.place && { place: options.place }),
    });
  }
}

/** Hosts of a name, a group, a glob or a range, in the order of the group. */
function matchName(base: string, inventory: Inventory, options: SelectOptions): string[] {
  if (base === 'all' || base === '*') return [...inventory.hosts.keys()];
  if (inventory.hosts.has(base)) return [base];
  if (inventory.groups.has(base)) return [...hostsOfGroup(inventory, base)];
  if (/\[[^\]]*:[^\]]*\]/.test(base)) {
    try {
      return expandRange(base).filter((name) => inventory.hosts.has(name));
    } catch (error) {
      if (!(error instanceof HostRangeError)) throw error;
      const place = options.place && { place: options.place };
      throw new UserError({ code: 'E_INV_RANGE', what: error.message, hint: 'mend the range', ...place });
    }
  }
  return isGlob(base) ? matchAll(compileGlob(base), inventory) : [];
}

/** Groups first, then hosts. `all` and `ungrouped` are words, which no pattern matches. */
function matchAll(matches: (name: string) => boolean, inventory: Inventory): string[] {
  const names = new Set<string>();
  for (const group of inventory.groups.keys())
    if (group !== 'all' && group !== 'ungrouped' && matches(group))
      for (const host of hostsOfGroup(inventory, group)) names.add(host);
  for (const host of inventory.hosts.keys()) if (matches(host)) names.add(host);
  return [...names];
}

function isKnown(base: string, inventory: Inventory): boolean {
  return base === 'all' || base === '*' || inventory.groups.has(base);
}

/** `web[0]`, `web[-1]`, `web[0:2]` (both ends included), `web[2:]`. */
function splitSlice(term: string): { base: string; slice?: (names: string[]) => string[] } {
  const match = /^(.+)\[(?:(-?\d{1,9})|(-?\d{1,9})?:(-?\d{1,9})?)\]$/.exec(term);
  const [, base, index, from, to] = match ?? [];
  if (base === undefined) return { base: term };
  if (index !== undefined)
    return { base, slice: (names) => names.slice(Number(index), Number(index) + 1 || undefined) };
  if (from === undefined && to === undefined) return { base: term };
  return {
    base,
    slice: (names) => names.slice(Number(from ?? 0), to === undefined ? undefined : Number(to) + 1 || undefined),
  };
}

function nothing(term: string, inventory: Inventory, options: SelectOptions): UserError {
  const count = inventory.hosts.size;
  const what = `"${term}" matches none of ${count} ${count === 1 ? 'host' : 'hosts'}`;
  const better = suggestion(term, inventory);
  return refusal(options, what, better ? `did you mean "${better}"?` : 'list them with: opsctl inventory list');
}

/** The nearest group or host; for `wbe*` the nearest beginning of one. */
function suggestion(term: string, inventory: Inventory): string | undefined {
  const names = [...new Set([...inventory.groups.keys(), ...[...inventory.hosts.keys()].slice(0, 5_000)])];
  const word = /^[\p{L}\p{N}._-]+/u.exec(term)?.[0];
  if (word === undefined || word.length < 2 || names.length === 0) return undefined;
  const rest = term.slice(word.length);
  const candidates = rest.startsWith('*') ? [...new Set(names.map((name) => name.slice(0, word.length)))] : names;
  const best = nearest(word, candidates);
  return best === undefined || best === word ? undefined : best + rest;
}

function refusal(options: SelectOptions, what: string, hint: string): UserError {
  return new UserError({ code: 'E_NO_HOSTS', what, hint, ...(options.place && { place: options.place }) });
}
