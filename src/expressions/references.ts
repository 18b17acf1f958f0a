import type { Place, Problem } from '../errors.js';
import { functionNames, methodNames } from './engine.js';
import type { Scope, ScopeName } from './expression.js';
import type { Inspection, Reference } from './inspect.js';
import { operatorWords } from './messages.js';
import { compileRegex, RegexError } from './regex.js';
import type { Locate } from './spot.js';
import { didYouMean } from './suggest.js';

/** What is wrong with the names, calls and patterns of an expression. */
export function* findProblems({ references, unknownCalls, patterns }: Inspection, scope: Scope, locate: Locate) {
  for (const reference of references) yield* referenceProblem(reference, scope, locate);
  for (const { name, isMethod, start, end } of unknownCalls) {
    const what = `unknown ${isMethod ? 'method' : 'function'} \`${name}\``;
    const hint = callHint(name, isMethod);
    yield problem('E_EXPR_NAME', what, hint, locate(start, end));
  }
  for (const { pattern, start, end } of patterns) yield* patternProblem(pattern, start, end, locate);
}

function callHint(name: string, isMethod: boolean): string {
  const [here, there] = isMethod ? [methodNames, functionNames] : [functionNames, methodNames];
  if (there.has(name)) return isMethod ? `write \`${name}(x)\`` : `write \`x.${name}(…)\``;
  return didYouMean(name, here) ?? `${isMethod ? 'methods' : 'functions'} are ${[...here].join(', ')}`;
}

function* referenceProblem(reference: Reference, scope: Scope, locate: Locate): Generator<Problem> {
  const { name, entry, mayBeMissing } = reference;
  const place = locate(reference.start, reference.end);
  if (!scope.names.has(name as ScopeName)) {
    yield problem('E_EXPR_NAME', ...unknownName(name, scope), locate(reference.root.start, reference.root.end));
  } else if (name === 'steps' && entry !== undefined && !scope.stepIds.has(entry)) {
    if (scope.allStepIds.has(entry)) {
      yield problem('E_STEP_LATER', `step \`${entry}\` comes later`, 'only earlier steps have a result here', place);
    } else {
      const hint = didYouMean(entry, scope.stepIds) ?? 'only a step with an `id` can be named';
      yield problem('E_STEP_ID', `no earlier step has the id \`${entry}\``, hint, place);
    }
  } else if (name === 'vars' && entry !== undefined && scope.vars && !scope.vars.has(entry) && !mayBeMissing) {
    const hint = didYouMean(entry, scope.vars) ?? `set it in the inventory, or write \`default(vars.${entry}, …)\``;
    yield problem('E_VAR_UNDEFINED', `no host has the variable \`${entry}\``, hint, place);
  } else if (name === 'params' && entry !== undefined && scope.params && !scope.params.has(entry)) {
    const known = scope.params.size > 0 ? `params are ${[...scope.params.keys()].join(', ')}` : undefined;
    const hint = didYouMean(entry, scope.params.keys()) ?? known ?? 'declare it under `params` of the runbook';
    yield problem('E_PARAM_UNKNOWN', `the runbook has no parameter \`${entry}\``, hint, place);
  }
}

const elsewhere: Readonly<Record<string, string>> = {
  item: '`item` exists in a step with `each`',
  result: '`result` exists in `retry.until`',
};

function unknownName(name: string, scope: Scope): [string, string] {
  if (elsewhere[name]) return [`\`${name}\` is not known here`, elsewhere[name]];
  if (operatorWords[name]) return [`unknown name \`${name}\``, `write \`${operatorWords[name]}\``];
  const hint = didYouMean(name, scope.names) ?? `names are ${[...scope.names].join(', ')}; text goes in quotes`;
  return [`unknown name \`${name}\``, hint];
}

function* patternProblem(pattern: string, start: number, end: number, locate: Locate): Generator<Problem> {
  try {
    compileRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    // Escapes in the literal move the characters; then the caret stays at the literal.
    const isPlain = end - start === pattern.length + 2;
    const from = isPlain ? start + 1 + error.index : start;
    const place = isPlain ? locate(from, from + error.length) : locate(start, end);
    yield problem('E_REGEX', error.message, 'patterns are RE2 syntax', place);
  }
}

function problem(code: Problem['code'], what: string, hint: string, place: Place): Problem {
  return { code, what, hint, place };
}
