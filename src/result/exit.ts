import { exitCode } from '../errors.js';
import { unreachableCauses } from './parents.js';
import type { HostResult, Outcome, RunResult, StepResult } from './result.schema.js';
import { counts, isNews } from './standing.js';

export type Exit = RunResult['exit'];

/** What makes a run fail: failures, warnings as well, or only what the last run did not have. */
export type FailOn = 'failed' | 'warning' | 'new';

/** Severest first; the published order (README.md, "Exit codes"). */
const precedence: readonly number[] = [
  exitCode.bug,
  exitCode.output,
  exitCode.interrupted,
  exitCode.terminated,
  exitCode.hangup,
  exitCode.refused,
  exitCode.unknown,
  exitCode.failed,
  exitCode.unreachable,
  exitCode.deadline,
  exitCode.locked,
];

const stops: Readonly<Record<string, number>> = {
  SIGINT: exitCode.interrupted,
  SIGTERM: exitCode.terminated,
  SIGHUP: exitCode.hangup,
  deadline: exitCode.deadline,
  output: exitCode.output,
};

const outcomeCodes: Partial<Readonly<Record<Outcome, number>>> = {
  refused: exitCode.refused,
  unknown: exitCode.unknown,
  failed: exitCode.failed,
  unreachable: exitCode.unreachable,
};

const tooFew = 'too-few-results';

/** The exit code of a run and every reason for it. Only this function decides; no report does. */
export function decideExit(hosts: readonly HostResult[], stopped: string | undefined, failOn: FailOn = 'failed'): Exit {
  const reasons: { code: number; reason: string; hosts: number }[] = [];
  // A host that is not to be trusted is no old news.
  const always = (outcome: Outcome) => failOn !== 'new' || outcome === 'refused';
  const counted = (step: StepResult) => counts(step) && (always(step.outcome) || isNews(step));
  for (const [outcome, code] of Object.entries(outcomeCodes)) {
    const concerned = hosts.filter(
      (host) =>
        (host.outcome === outcome && host.reason !== tooFew && (always(outcome) || isNewsOfHost(host))) ||
        host.steps.some((step) => step.outcome === outcome && counted(step)),
    );
    const count = outcome === 'unreachable' ? unreachableCauses(concerned) : concerned.length;
    if (count > 0) reasons.push({ code, reason: outcome, hosts: count });
  }
  const few = hosts.filter((host) => host.reason === tooFew && (failOn !== 'new' || isNewsOfHost(host))).length;
  if (few > 0) reasons.push({ code: exitCode.unknown, reason: tooFew, hosts: few });
  const locked = hosts.filter((host) => host.steps.some((step) => step.reason === 'locked')).length;
  if (locked > 0) reasons.push({ code: exitCode.locked, reason: 'locked', hosts: locked });
  if (failOn === 'warning') {
    const count = hosts.filter((host) => host.steps.some((step) => step.outcome === 'warning' && counts(step))).length;
    if (count > 0) reasons.push({ code: exitCode.failed, reason: 'warning', hosts: count });
  }
  if (stopped !== undefined)
    reasons.push({ code: stops[stopped] ?? exitCode.bug, reason: stopped, hosts: hosts.length });
  const proven = hosts.some((host) => host.steps.some((step) => isProof(step, counted(step))));
  if (reasons.length === 0 && !proven)
    reasons.push({ code: exitCode.unknown, reason: 'nothing-proven', hosts: hosts.length });
  reasons.sort((a, b) => precedence.indexOf(a.code) - precedence.indexOf(b.code));
  return { code: reasons[0]?.code ?? exitCode.ok, reasons };
}

/** Something is known there: good, or bad and not counted. */
function isProof({ outcome, rescued }: StepResult, counted: boolean): boolean {
  return ['ok', 'changed', 'warning'].includes(outcome) || (outcome === 'failed' && !counted && !rescued);
}

/** The host as a whole has something that its steps do not tell, and the last run did not have it. */
function isNewsOfHost({ reason, change, outcome, steps }: HostResult): boolean {
  if (reason !== undefined) return change !== 'still';
  return !steps.some((step) => step.outcome === outcome && counts(step));
}
