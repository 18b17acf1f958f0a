import { type Problem, UserError } from '../errors.js';
import { quote } from './source.js';

const unitSeconds = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1, ms: 0.001 } as const;
type Unit = keyof typeof unitSeconds;
const pattern = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/;
const longest = 366 * unitSeconds.d;

/** Schema of a duration: `{ ...duration('Time between two attempts.'), default: '5s' }`. Numbers are let in to be refused with a hint. */
export function duration<const D extends string>(description: D) {
  return { type: ['string', 'number'], format: 'duration', description, examples: ['30s', '5m', '1h30m'] } as const;
}

/** `1h30m` to seconds. Throws a UserError that tells how to write it. */
export function parseDuration(value: string | number, name = 'the duration'): number {
  const problem = durationProblem(value);
  if (problem) throw new UserError({ ...problem, what: `${name} ${problem.what}` });
  return seconds(String(value)) ?? 0;
}

/** What is wrong with a duration, to be said of its name. Units are required, from large to small, each once: w d h m s ms. */
export function durationProblem(value: unknown): Pick<Problem, 'code' | 'what' | 'hint'> | undefined {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return { code: 'E_RANGE', what: 'must be a finite duration', hint: 'write 5m, 300s' };
    if (value <= 0) return { code: 'E_DURATION', what: `is ${value}, which is no duration`, hint: 'write 5m, 300s' };
    return { code: 'E_DURATION', what: `needs a unit, got ${value}`, hint: `write ${value}s` };
  }
  if (typeof value !== 'string') return { code: 'E_DURATION', what: 'must be a duration', hint: 'write 5m, 300s' };
  const length = seconds(value);
  if (length === undefined)
    return { code: 'E_DURATION', what: `is ${quote(value)}, which is no duration`, hint: `write ${rewritten(value)}` };
  if (length === 0) return { code: 'E_DURATION', what: 'must be longer than zero', hint: 'write 5m, 300s' };
  if (length > longest)
    return { code: 'E_RANGE', what: `is ${quote(value)}, which is longer than a year`, hint: 'write less' };
  return undefined;
}

function seconds(text: string): number | undefined {
  const match = text === '' ? null : pattern.exec(text);
  if (!match) return undefined;
  return (Object.keys(unitSeconds) as Unit[]).reduce(
    (sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unitSeconds[unit],
    0,
  );
}

/** `5 minutes` is told as `5m`; anything else by example. */
function rewritten(text: string): string {
  const words = /^\s*(\d+(?:\.\d+)?)\s*(w|d|h|m|s|ms)[a-z]*\s*$/i.exec(text);
  if (words) {
    const millis = /milli|msec|^\s*\d+\s*ms/i.test(text);
    const short = `${words[1]}${millis ? 'ms' : words[2]?.toLowerCase()}`;
    if (seconds(short)) return short;
  }
  if (/^\s*\d+(\.\d+)?\s*$/.test(text) && Number(text) > 0) return `${text.trim()}s`;
  return '5m, 300s';
}
