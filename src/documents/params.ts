import type { Place, Problem } from '../errors.js';
import type { StepKind } from '../steps/step.js';
import type { DocumentPath } from './document.js';
import { hasTemplates, ordered, validate } from './validate.js';

export interface ParamsOrigin {
  /** Where a parameter stands; the path starts inside `with`. */
  readonly place: (path: DocumentPath, part?: 'key' | 'value') => Place;
  readonly written?: (path: DocumentPath) => string | undefined;
  /** Before rendering: what depends on `${{ }}` is not judged yet. */
  readonly templates?: boolean;
}

/**
 * Checks the `with` of a step against its kind and fills defaults in. Once at load with `templates`, and again
 * after rendering, before secrets are put in place of their references.
 */
export async function validateParams(
  kind: StepKind,
  params: Record<string, unknown>,
  origin: ParamsOrigin,
): Promise<Problem[]> {
  const check = { value: params, schema: kind.params, validator: kind.kind, subject: `\`with\` of ${kind.kind}` };
  const problems = await validate({ ...check, ...origin });
  if (problems.length > 0 || !kind.validate || (origin.templates && hasTemplates(params))) return problems;
  const found = kind.validate(params).map(({ code = 'E_VALUE', path, what, hint }) => ({
    code,
    what,
    ...(hint !== undefined && { hint }),
    place: origin.place(path),
  }));
  return ordered(found);
}
