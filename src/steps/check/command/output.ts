import { extractText, foundPattern, listPatterns, missingPattern, type Patterns } from '../../patterns.js';
import { dimensionOf, type Unit } from '../../range.js';
import { type ProbeOutput, text } from '../../step.js';

/** How much of each stream becomes data; patterns look at all that arrived. */
const dataLimit = 64 * 1024;
/** What is longer may have been cut on its way. */
const wholeLimit = 1_000_000;

export interface CommandData {
  readonly exitStatus: number;
  /** The first 64 KiB. */
  readonly stdout: string;
  /** The first 64 KiB. */
  readonly stderr: string;
  /** In the base unit; null when none was looked for or found. */
  readonly number: number | null;
  readonly unit: Unit;
  /** Text of the JSON value; null when none was looked for or found. */
  readonly json: string | null;
  /** Whether the value is what `equals` says; null without it. */
  readonly equal: boolean | null;
  /** The first pattern that is not as asked. */
  readonly mismatch: Mismatch | null;
  /** Why the JSON value or the number could not be read. */
  readonly problem: string | null;
}

export interface Mismatch {
  readonly stream: 'stdout' | 'stderr';
  /** `too-long`: the output was cut, so nobody knows. */
  readonly kind: 'missing' | 'found' | 'too-long';
  readonly pattern: string;
}

export interface Extraction {
  readonly stdout?: Patterns;
  readonly 'stdout-lacks'?: Patterns;
  readonly stderr?: Patterns;
  readonly 'stderr-lacks'?: Patterns;
  readonly equals?: string | number | boolean | undefined;
  readonly json?: string | undefined;
  readonly number?: string | undefined;
  readonly unit: string;
  readonly warning?: string | number | undefined;
  readonly critical?: string | number | undefined;
}

export function readCommand(output: ProbeOutput, given: Extraction): CommandData {
  const stdout = text(output.stdout);
  const stderr = text(output.stderr);
  const truncated = output.stdout.length > wholeLimit || output.stderr.length > wholeLimit;
  const { unit, factor } = dimensionOf(given.unit);
  const value = given.json === undefined ? undefined : pointedValue(stdout, given.json, given.equals !== undefined);
  const found = numberIn(value, stdout, given);
  return {
    exitStatus: output.exitStatus,
    stdout: text(output.stdout.subarray(0, dataLimit)),
    stderr: text(output.stderr.subarray(0, dataLimit)),
    number: typeof found === 'number' ? Number((found * factor).toPrecision(15)) : null,
    unit,
    json: value?.text ?? null,
    equal: given.equals === undefined ? null : (value?.text ?? stdout.trim()) === String(given.equals),
    mismatch:
      mismatchIn('stdout', withoutLastNewline(stdout), truncated, given.stdout, given['stdout-lacks']) ??
      mismatchIn('stderr', withoutLastNewline(stderr), truncated, given.stderr, given['stderr-lacks']) ??
      null,
    problem: value?.problem ?? (typeof found === 'string' ? found : null),
  };
}

function mismatchIn(
  stream: Mismatch['stream'],
  said: string,
  truncated: boolean,
  wanted: Patterns,
  unwanted: Patterns,
): Mismatch | undefined {
  const found = foundPattern(unwanted, said);
  if (found !== undefined) return { stream, kind: 'found', pattern: found };
  const missing = missingPattern(wanted, said);
  const open = truncated ? (missing ?? listPatterns(unwanted)[0]) : undefined;
  if (open !== undefined) return { stream, kind: 'too-long', pattern: open };
  return missing === undefined ? undefined : { stream, kind: 'missing', pattern: missing };
}

/** So that `$` means what people expect of one line of output. */
function withoutLastNewline(said: string): string {
  return said.endsWith('\n') ? said.slice(0, -1) : said;
}

type Pointed =
  | { readonly text: string; readonly problem?: never }
  | { readonly text?: never; readonly problem: string };

/** The value at a JSON pointer (RFC 6901). `exact` refuses a number that JavaScript has rounded. */
function pointedValue(stdout: string, pointer: string, exact: boolean): Pointed {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    return { problem: 'the output is not JSON' };
  }
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  for (const part of parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return { problem: `the output has no ${pointer}` };
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  if (exact && Number.isInteger(value) && !Number.isSafeInteger(value))
    return { problem: `the number at ${pointer || 'the top'} has too many digits to be compared` };
  return { text: typeof value === 'string' ? value : JSON.stringify(value) };
}

/** As programs write them: `.5` of bc, `2.1e+09` of awk. `1,234` is one number, and no 1: that is for people to say. */
const firstNumber = '-?(?:[0-9]+(?:,[0-9]{3})*(?:\\.[0-9]+)?|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?';

/** A number, why there is none (text), or undefined when none is wanted. */
function numberIn(value: Pointed | undefined, stdout: string, given: Extraction): number | string | undefined {
  const wanted = given.number !== undefined || given.warning !== undefined || given.critical !== undefined;
  if (!wanted || value?.problem !== undefined) return undefined;
  const said = value?.text ?? stdout;
  const pattern = given.number ?? (value ? undefined : firstNumber);
  const found = pattern === undefined ? said : extractText(pattern, said);
  const number = found === undefined || found.trim() === '' ? Number.NaN : Number(found);
  return Number.isFinite(number) ? number : `no number in the output${found ? `: ${found.slice(0, 80)}` : ''}`;
}
