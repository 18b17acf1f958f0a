import { type Problem, UserError } from '../errors.js';
import { nearest } from './nearest.js';
import type { Runbook, RunbookParam } from './runbook.schema.js';
import { quote } from './source.js';
import type { ParsedFile } from './tree.js';

type Found = Pick<Problem, 'code' | 'what' | 'hint'>;

const typeNames = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
};

/** Why a parameter cannot have a value: the end of a sentence that starts with its name. */
export function paramProblem(value: unknown, param: RunbookParam): Found | undefined {
  const type = param.type ?? 'string';
  const problem = (code: Problem['code'], what: string, hint?: string): Found => ({
    code,
    what,
    ...(hint !== undefined && { hint }),
  });
  if (!hasType(value, type)) return problem('E_TYPE', `is ${typeNames[type]}, got ${quote(value)}`);
  const allowed = param.enum;
  for (const item of Array.isArray(value) ? value : [value]) {
    if (allowed && !allowed.includes(item)) {
      const meant =
        typeof item === 'string'
          ? nearest(
              item,
              allowed.filter((one) => typeof one === 'string'),
            )
          : undefined;
      const list = allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ');
      return problem('E_ENUM', `is one of ${list}, got ${quote(item)}`, meant && `did you mean \`${meant}\`?`);
    }
  }
  if (typeof value === 'number') {
    if (param.minimum !== undefined && value < param.minimum)
      return problem('E_RANGE', `is at least ${param.minimum}, got ${value}`);
    if (param.maximum !== undefined && value > param.maximum)
      return problem('E_RANGE', `is at most ${param.maximum}, got ${value}`);
  }
  return undefined;
}

function hasType(value: unknown, type: keyof typeof typeNames): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return typeof value === type;
}

/** Defaults that their own parameter would refuse. */
export function defaultProblems({ value, place, written }: ParsedFile): Problem[] {
  const params = (value as Partial<Runbook> | null)?.params;
  if (typeof params !== 'object' || params === null) return [];
  return Object.entries(params).flatMap(([name, param]) => {
    if (typeof param !== 'object' || param === null || param.default === undefined) return [];
    const problem = paramProblem(param.default, param);
    if (!problem) return [];
    const path = ['params', name, 'default'];
    const isUnquoted = problem.code === 'E_TYPE' && (param.type ?? 'string') === 'string';
    const text = isUnquoted ? written(path) : undefined;
    const what = `the default of \`${name}\` ${problem.what}`;
    return [{ ...problem, what, ...(text !== undefined && { hint: `quote it: "${text}"` }), place: place(path) }];
  });
}

/**
 * The values of a runbook's parameters: defaults, then `given`. A text for a parameter of another type (from
 * `--param NAME=VALUE`) is read as that type; a list is comma-separated or JSON.
 */
export function resolveParams(runbook: Runbook, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const params = runbook.params ?? {};
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(params, name)) continue;
    const meant = nearest(name, Object.keys(params));
    const hint = meant ? `did you mean \`${meant}\`?` : `it takes ${Object.keys(params).join(', ') || 'no parameters'}`;
    problems.push({ code: 'E_KEY_UNKNOWN', what: `the runbook has no parameter \`${name}\``, hint });
  }
  for (const [name, param] of Object.entries(params)) {
    if (!Object.hasOwn(given, name)) {
      if (param.default !== undefined) values[name] = param.default;
      else
        problems.push({
          code: 'E_KEY_MISSING',
          what: `the runbook needs the parameter \`${name}\``,
          hint: `set it with \`--param ${name}=VALUE\``,
        });
      continue;
    }
    const value = typeof given[name] === 'string' ? fromText(given[name], param.type ?? 'string') : given[name];
    const found = paramProblem(value, param);
    if (found) problems.push({ ...found, what: `the parameter \`${name}\` ${found.what}` });
    else values[name] = value;
  }
  if (problems.length > 0) throw new UserError(problems);
  return values;
}

function fromText(text: string, type: keyof typeof typeNames): unknown {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      if (!text.trimStart().startsWith('[')) return text === '' ? [] : text.split(',').map((item) => item.trim());
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    default:
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  }
}
