/** What the engine says, in our words and with a way out. */
import { type Place, UserError } from '../errors.js';
import { limits, publicName } from './engine.js';
import type { Locate } from './spot.js';

/** What people write who come from other languages. */
export const operatorWords: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!' };

interface EngineTrouble {
  readonly name?: string;
  readonly code?: string;
  readonly summary?: string;
  readonly range?: { readonly start: number; readonly end: number };
}

/** Runs the parser; what it refuses becomes E_EXPR_SYNTAX at its place. */
export function guardSyntax<T>(source: string, locate: Locate, action: () => T): T {
  const whole = () => locate(0, source.length);
  if (source.trim() === '') throw syntaxError('the expression is empty', undefined, whole());
  if (source.length > limits.sourceLength) {
    throw syntaxError(`the expression is longer than ${limits.sourceLength} characters`, undefined, whole());
  }
  if (source.trimStart().startsWith('${{')) {
    throw syntaxError('this is an expression already', 'write it without `${{ }}`', whole());
  }
  try {
    return action();
  } catch (error) {
    // The parser recurses: thousands of `!` or `-` in a row exhaust the stack.
    if (error instanceof RangeError) throw syntaxError('the expression is nested too deeply', undefined, whole());
    const { summary, code, range } = error as EngineTrouble;
    if (summary === undefined) throw error;
    if (code === 'invalid_macro_argument') {
      throw syntaxError(lower(summary), undefined, locate(range?.start ?? 0, range?.end ?? source.length));
    }
    const start = Math.min(range?.start ?? 0, source.length);
    const place = locate(start, Math.max(start + 1, range?.end ?? 0));
    throw syntaxError(syntaxInWords(summary, code, source, start), syntaxHint(source, start), place);
  }
}

function syntaxError(what: string, hint: string | undefined, place: Place): UserError {
  return new UserError({ code: 'E_EXPR_SYNTAX', what, ...(hint === undefined ? {} : { hint }), place });
}

function syntaxInWords(summary: string, code: string | undefined, source: string, start: number): string {
  if (start >= source.trimEnd().length) return 'the expression ends too early';
  if (code === 'unexpected_character' || code === 'unexpected_token' || code === 'expected_token') {
    const token = /^(\w+|[^\w\s])/.exec(source.slice(start))?.[0] ?? source[start];
    return `\`${token}\` is not expected here`;
  }
  if (code === 'limit_exceeded') {
    return summary.includes('maxDepth') ? 'the expression is nested too deeply' : 'the expression is too long';
  }
  return lower(summary);
}

function syntaxHint(source: string, start: number): string | undefined {
  const rest = source.slice(start);
  const word = /^\w+/.exec(rest)?.[0];
  if (word && operatorWords[word]) return `write \`${operatorWords[word]}\``;
  if (/^=(?!=)/.test(rest) && source[start - 1] !== '=') return 'write `==` to compare';
  if (/^[&|]/.test(rest)) return `write \`${rest[0]?.repeat(2)}\``;
  if (/^\|/.test(rest)) return 'there are no filters; call a function';
  return undefined;
}

/** E_EXPR_TYPE for what the type check refuses. */
export function typeProblem(error: unknown, source: string, locate: Locate): UserError {
  const { range, code } = error as EngineTrouble;
  const place = locate(range?.start ?? 0, range?.end ?? source.length);
  if (error instanceof RangeError) return syntaxError('the expression is nested too deeply', undefined, place);
  const hint = code === 'no_such_overload' ? overloadHint(error as EngineTrouble) : undefined;
  return new UserError({ code: 'E_EXPR_TYPE', what: messageOf(error), ...(hint ? { hint } : {}), place });
}

function overloadHint({ summary = '' }: EngineTrouble): string | undefined {
  return /\+ string$|: string \+/.test(summary) ? 'turn it into text with `string(…)`' : undefined;
}

/** One line for any error of a check or an evaluation. */
export function messageOf(error: unknown): string {
  const { summary, code } = error as EngineTrouble;
  if (summary === undefined) return plainMessage(error);
  const overload = /^no such overload: (.+) (\S+) (\S+)$/.exec(summary);
  if (code === 'no_such_overload' && overload) {
    const [, left, operator, right] = overload;
    return `\`${operator}\` does not work on ${typeInWords(left ?? '')} and ${typeInWords(right ?? '')}`;
  }
  const unary = /^no such overload: ([!-])(.+)$/.exec(summary);
  if (unary) return `\`${unary[1]}\` does not work on ${typeInWords(unary[2] ?? '')}`;
  const call = /^found no matching overload for '(.+)'$/.exec(summary);
  if (call) return `no function fits \`${publicName(call[1] ?? '')}\``;
  const wrong = /^(.+), got '(.+)'$/.exec(summary);
  if (wrong && code === 'invalid_logical_operand')
    return `\`&&\` and \`||\` do not work on ${typeInWords(wrong[2] ?? '')}`;
  if (wrong && code === 'invalid_condition_type') return `${typeInWords(wrong[2] ?? '')} cannot be a condition`;
  const scalar = /^Cannot index type '(.+)'$/.exec(summary);
  if (scalar) return `${typeInWords(scalar[1] ?? '')} has no entries`;
  const key = /^No such key: (.*)$/s.exec(summary);
  if (key && code === 'no_such_key') return `no such key \`${key[1]}\``;
  return lower(publicName(summary).replace('No such key: ', ''));
}

function plainMessage(error: unknown): string {
  if (error instanceof RangeError && error.message.includes('call stack')) return 'the values are nested too deeply';
  if (error instanceof TypeError && /^an? \w+$/.test(error.message)) {
    return `${error.message} cannot be used in an expression`;
  }
  return lower(error instanceof Error ? error.message : String(error));
}

export function typeInWords(type: string): string {
  const name = type.replace(/^dyn<(.*)>$/, '$1');
  if (name.startsWith('list')) return 'a list';
  if (name.startsWith('map') || name.startsWith('$')) return 'a map';
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    double: 'a number',
    int: 'a number',
    bool: 'true or false',
    null: 'null',
    dyn: 'any value',
  };
  return words[name] ?? `a ${name}`;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
