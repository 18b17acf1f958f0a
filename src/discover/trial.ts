import { escapeLine } from '../reports/escape.js';
import type { RunResult, StepResult } from '../result/result.schema.js';
import { subjects } from './index.js';
import type { Candidate, Subject, Survey } from './subject.js';

/** A step as a runbook holds it. */
export type Step = Readonly<Record<string, unknown>> & { readonly id: string; readonly uses: string };

/** A candidate on its way into a runbook: the steps that it could be, of which the first that passes is written. */
export interface Trial {
  readonly candidate: Candidate;
  readonly ways: readonly Step[];
}

export interface Part {
  readonly subject: Subject;
  readonly trials: readonly Trial[];
  readonly notes: readonly string[];
}

/** What could be checked on a host, part by part. */
export function findTrials(survey: Survey): readonly Part[] {
  const taken = new Set<string>();
  return subjects.map((subject) => {
    const { checks, notes = [] } = subject.find(survey);
    return { subject, notes, trials: checks.map((candidate) => trialOf(candidate, subject, taken)) };
  });
}

function trialOf(candidate: Candidate, { tag }: Subject, taken: Set<string>): Trial {
  const { uses, name, from, otherwise = [] } = candidate;
  const id = freeId(candidate, taken);
  const ways = [candidate.with ?? {}, ...otherwise].map((params) => ({
    ...{ id, name, uses, tags: [tag] },
    ...(from && { from }),
    ...(Object.keys(params).length > 0 && { with: params }),
  }));
  return { candidate, ways };
}

/** The id of a result stays the same when lines are moved: waivers and the last run know it by that. */
function freeId({ uses, about = '' }: Candidate, taken: Set<string>): string {
  const words = `${uses.replace(/^\w+\./, '')} ${about}`.replace(/[^A-Za-z0-9]+/g, '_').replace(/_+$/, '');
  const base = words.slice(0, 80);
  let id = base;
  for (let count = 2; taken.has(id); count += 1) id = `${base}_${count}`;
  taken.add(id);
  return id;
}

/** Why a check cannot be written down at all: a name that shows something else than it is. */
export function unsafeText(step: Step): boolean {
  const isUnsafe = (value: unknown): boolean =>
    typeof value === 'string'
      ? escapeLine(value) !== value || value.includes('\uFFFD')
      : typeof value === 'object' && value !== null && Object.values(value).some(isUnsafe);
  return isUnsafe(step.with) || isUnsafe(step.name);
}

/** A server that says nothing is not waited for as long as a check would. */
const patience = '3s';

/** Every way of every trial, with an id of its own. */
export function trialSteps(parts: readonly Part[], refused: ReadonlyMap<Step, string>): readonly Step[] {
  return allWays(parts)
    .filter((way) => !refused.has(way))
    .map((way, index) => ({ ...way, id: trialId(index), ...(way.from !== undefined && { timeout: patience }) }));
}

/** What became of each way that was tried. */
export function readTrials(
  parts: readonly Part[],
  refused: ReadonlyMap<Step, string>,
  result: RunResult,
): ReadonlyMap<Step, StepResult> {
  const results = new Map(result.hosts[0]?.steps.map((step) => [step.step, step]));
  const tried = allWays(parts).filter((way) => !refused.has(way));
  return new Map(
    tried.flatMap((way, index) => {
      const found = results.get(trialId(index));
      return found ? [[way, found] as const] : [];
    }),
  );
}

export function allWays(parts: readonly Part[]): readonly Step[] {
  return parts.flatMap(({ trials }) => trials.flatMap(({ ways }) => ways));
}

function trialId(index: number): string {
  return `trial_${index}`;
}
