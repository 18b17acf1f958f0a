import type { LoadedRunbook } from '../documents/runbook.js';
import { ordered } from '../documents/validate.js';
import { type Problem, UserError } from '../errors.js';
import { findSecretLiterals } from '../secrets/literals.js';
import { stepsOf } from './gather-secrets.js';

/** Secrets in plain text have no place in a runbook: not in its values, not in what its steps are given. */
export function refuseSecretLiterals(runbook: LoadedRunbook): void {
  const { vars, params } = runbook.value;
  const defaults = Object.fromEntries(
    Object.entries(params ?? {}).map(([name, param]) => [name, (param as { default?: unknown }).default]),
  );
  const problems: Problem[] = [
    ...findSecretLiterals(vars ?? {}, (path) => runbook.place(['vars', ...path])),
    ...findSecretLiterals(defaults, ([name = '', ...path]) => runbook.place(['params', name, 'default', ...path])),
  ];
  for (const { step, document, path } of stepsOf(runbook.entries))
    problems.push(...findSecretLiterals(step.with ?? {}, (below) => document.place([...path, 'with', ...below])));
  if (problems.length > 0) throw new UserError(ordered(problems));
}
