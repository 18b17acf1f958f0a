import type { Place, Problem } from '../errors.js';
import type { DocumentPath } from './document.js';
import { durationProblem } from './duration.js';
import { explainError } from './explain.js';
import type { JsonSchema } from './json-schema.js';
import { nearest } from './nearest.js';
import { containsTemplate, isTemplate } from './template.js';
import { valueAt } from './tree.js';
import { loadValidator, type SchemaError } from './validators.js';

export interface Check {
  /** The value to check. Defaults are filled in; nothing is converted. */
  readonly value: unknown;
  readonly schema: JsonSchema;
  /** Name of the validator compiled from `schema`. */
  readonly validator: string;
  /** What the value is, for messages: `a runbook`. */
  readonly subject: string;
  /** Where the value sits in its file. */
  readonly base?: DocumentPath;
  readonly place: (path: DocumentPath, part?: 'key' | 'value') => Place;
  /** How a scalar without quotes was written. */
  readonly written?: (path: DocumentPath) => string | undefined;
  /** Values with `${{ }}` are checked only as far as their text tells. */
  readonly templates?: boolean;
}

/** All that is wrong with a value, in order of place. */
export async function validate(check: Check): Promise<Problem[]> {
  const validator = await loadValidator(check.validator);
  const errors = validator(check.value) ? [] : (validator.errors ?? []);
  const found = reduce(
    errors.map((error) => ({ ...error, path: pathOf(error.instancePath) })),
    check,
  ).map((error) => explainError(error, check));
  const base = check.base ?? [];
  for (const path of durations(check.schema, check.value)) {
    const value = valueAt(check.value, path);
    if (check.templates && typeof value === 'string' && containsTemplate(value)) continue;
    const problem = durationProblem(value);
    if (problem)
      found.push({ ...problem, what: `\`${path.at(-1)}\` ${problem.what}`, place: check.place([...base, ...path]) });
  }
  return ordered(found);
}

/** Sorted by place within each file; of several problems at one place the first stays. */
export function ordered(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  const files = [...new Set(problems.map(({ place }) => place?.file))];
  const kept = problems.filter(({ place, what }) => {
    const key = place?.line === undefined ? what : `${place.file}:${place.line}:${place.column}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const rank = ({ place }: Problem) => files.indexOf(place?.file);
  return kept.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
      (a.place?.column ?? 0) - (b.place?.column ?? 0),
  );
}

export interface LocatedError extends SchemaError {
  readonly path: DocumentPath;
}

/** Drops errors that only follow from others, so that one slip gives one problem. */
function reduce(errors: readonly LocatedError[], check: Check): LocatedError[] {
  let list = errors.filter((error) => error.keyword !== 'if' && !(check.templates && isOpen(error, check)));
  for (const choice of list.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    const prefix = `${choice.schemaPath}/`;
    const inside = list.filter(({ schemaPath }) => schemaPath.startsWith(prefix));
    const branches = new Map<string, LocatedError[]>();
    for (const error of inside) {
      const branch = error.schemaPath.slice(prefix.length).split('/')[0] ?? '';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    // The branch whose type fits is the one that was meant.
    const meant = [...branches.values()].filter(
      (branch) =>
        !branch.some(
          ({ keyword, instancePath }) =>
            instancePath === choice.instancePath && (keyword === 'type' || keyword === 'const'),
        ),
    );
    const [only] = meant;
    const keep = meant.length === 1 && only ? only : [choice];
    list = [...list.filter((error) => error !== choice && !inside.includes(error)), ...keep];
  }
  return list.filter((error) => error.keyword !== 'required' || !list.some((other) => isTypoFor(other, error)));
}

/** A key that is missing because it is misspelt is told once. */
function isTypoFor(unknown: LocatedError, missing: LocatedError): boolean {
  if (unknown.keyword !== 'additionalProperties' || unknown.instancePath !== missing.instancePath) return false;
  return nearest(String(unknown.params.additionalProperty), [String(missing.params.missingProperty)]) !== undefined;
}

/** The value is known only after rendering. */
function isOpen(error: LocatedError, check: Check): boolean {
  const value = valueAt(check.value, error.path);
  if (typeof value === 'string') {
    if (isTemplate(value)) return true;
    return containsTemplate(value) && error.keyword !== 'type';
  }
  const structural = ['anyOf', 'oneOf', 'not', 'uniqueItems', 'contains', 'enum', 'const'].includes(error.keyword);
  return structural && hasTemplates(value);
}

export function hasTemplates(value: unknown): boolean {
  if (typeof value === 'string') return containsTemplate(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasTemplates);
}

type Schema = Readonly<Record<string, unknown>>;

/** Paths of all durations in a value, by its schema. */
function durations(schema: unknown, value: unknown): DocumentPath[] {
  const found: DocumentPath[] = [];
  collectDurations(schema, value, [], found);
  return found;
}

function collectDurations(schema: unknown, value: unknown, path: (string | number)[], found: DocumentPath[]): void {
  if (!holdsDuration(schema)) return;
  const { format, properties, additionalProperties, items } = schema as Schema;
  if (typeof value === 'string' || typeof value === 'number') {
    if (format === 'duration') found.push([...path]);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const into = (inner: unknown, key: string | number, item: unknown) => {
    path.push(key);
    collectDurations(inner, item, path, found);
    path.pop();
  };
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) into(items, index, item);
    return;
  }
  const map = value as Readonly<Record<string, unknown>>;
  const known = (properties ?? {}) as Schema;
  // An inventory has many hosts with few keys each: only those are looked at that can hold a duration.
  for (const key of Object.keys(known)) if (Object.hasOwn(map, key)) into(known[key], key, map[key]);
  if (!holdsDuration(additionalProperties)) return;
  for (const key of Object.keys(map)) if (!Object.hasOwn(known, key)) into(additionalProperties, key, map[key]);
}

const holding = new WeakMap<object, boolean>();

function holdsDuration(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const known = holding.get(schema);
  if (known !== undefined) return known;
  const { format, properties = {}, additionalProperties, items } = schema as Schema;
  const inside = [additionalProperties, items, ...Object.values(properties as Schema)];
  const holds = format === 'duration' || inside.some(holdsDuration);
  holding.set(schema, holds);
  return holds;
}

/** Numbers become list positions; a key of digits is found by them all the same. */
function pathOf(pointer: string): DocumentPath {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      return /^(0|[1-9]\d{0,8})$/.test(key) ? Number(key) : key;
    });
}
