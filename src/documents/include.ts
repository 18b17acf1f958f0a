import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Place, Problem } from '../errors.js';
import type { DocumentPath, LoadedDocument } from './document.js';
import { type IncludeParams, includeKind } from './include.schema.js';
import { nearest } from './nearest.js';
import { kindOf } from './read.js';
import type { Runbook, Step } from './runbook.schema.js';
import { paramProblem } from './runbook-params.js';
import { containsTemplate } from './template.js';
import { hasTemplates } from './validate.js';

type PlaceOf = (path: DocumentPath, part?: 'key' | 'value') => Place;

/** Keys of a step that say how one step runs; an include is many. */
const notOfIncludes: ReadonlySet<string> = new Set([
  'each',
  'expect',
  'hosts',
  'from',
  'retry',
  'timeout',
  'hard-after',
  'on-failure',
  'sensitive',
  'severity',
  'controls',
]);

/** What no schema says about a step with `uses: flow.runbook`. `place` starts at the step. */
export function includeProblems(step: Step, { file }: IncludeParams, place: PlaceOf): Problem[] {
  const problems: Problem[] = [];
  for (const name of Object.keys(step)) {
    if (!notOfIncludes.has(name) || (name === 'sensitive' && step.sensitive === false)) continue;
    problems.push({
      code: 'E_KEY_UNKNOWN',
      what: `\`${name}\` does not fit ${includeKind}`,
      hint: 'set it on the steps of the included runbook',
      place: place([name], 'key'),
    });
  }
  if (typeof file === 'string' && containsTemplate(file)) {
    problems.push({
      code: 'E_INCLUDE_DYNAMIC',
      what: 'the file of an include is fixed before any host is contacted',
      hint: 'write its name',
      place: place(['with', 'file']),
    });
  }
  return problems;
}

/** Real path and name of a file that includes the next one. */
export interface IncludeLink {
  readonly real: string;
  readonly name: string;
}

/** Why a file must not be included. It is not opened for that. */
export async function includedFileProblem(
  file: string,
  { written, root, chain, from }: { written: string; root: string; chain: readonly IncludeLink[]; from: Place },
): Promise<Problem | undefined> {
  const stats = await stat(file).catch(() => undefined);
  if (stats && !stats.isFile()) {
    const what = `\`${written}\` is ${kindOf(stats)}`;
    return { code: 'E_NOT_REGULAR', what, hint: 'name a regular file', place: from };
  }
  const real = await realpath(file).catch(() => file);
  const isMissingInside = stats === undefined && isInside(file, root);
  if (!isMissingInside && !isInside(real, await realpath(root).catch(() => root))) {
    const what = `\`${written}\` is outside the project; the project root is ${root}`;
    return { code: 'E_PATH_OUTSIDE', what, hint: 'move it into the project', place: from };
  }
  const start = chain.findIndex((link) => link.real === real);
  if (start === -1) return undefined;
  const cycle = chain.slice(start).map(({ name }) => name);
  const what = [...cycle, cycle[0]].join(' → ');
  return { code: 'E_INCLUDE_CYCLE', what, hint: 'remove one of the includes', place: from };
}

/** What is wrong with the values that an include gives to the parameters of its runbook. */
export function givenProblems(
  { file, value }: LoadedDocument<Runbook>,
  given: Readonly<Record<string, unknown>>,
  { place, missing }: { readonly place: PlaceOf; readonly missing: Place },
): Problem[] {
  const problems: Problem[] = [];
  const params = value.params ?? {};
  for (const [name, item] of Object.entries(given)) {
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    if (param === undefined) {
      const meant = nearest(name, Object.keys(params));
      const takes = `it takes ${Object.keys(params).join(', ') || 'no parameters'}`;
      const hint = meant ? `did you mean \`${meant}\`?` : takes;
      problems.push({
        code: 'E_KEY_UNKNOWN',
        what: `${file} has no parameter \`${name}\``,
        hint,
        place: place([name], 'key'),
      });
    } else if (!hasTemplates(item)) {
      const problem = paramProblem(item, param);
      if (problem) problems.push({ ...problem, what: `\`${name}\` ${problem.what}`, place: place([name]) });
    }
  }
  for (const [name, param] of Object.entries(params)) {
    if (Object.hasOwn(given, name) || param.default !== undefined) continue;
    const what = `${file} needs the parameter \`${name}\``;
    problems.push({ code: 'E_KEY_MISSING', what, hint: 'add it under `with.params`', place: missing });
  }
  return problems;
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}
