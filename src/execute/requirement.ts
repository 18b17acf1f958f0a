import type { Requirement } from '../plan/requirement.js';
import { worstOutcome } from '../result/fold.js';
import type { Outcome, StepResult } from '../result/result.schema.js';
import type { Attempt } from './attempt.js';

export type MemberResult = Pick<StepResult, 'name' | 'item' | 'outcome' | 'reason' | 'summary' | 'rescued' | 'covered'>;

/** Reasons to be skipped that say nothing about whether the step would have been ok. */
export const undecided: readonly string[] = ['blocked', 'dry-run', 'earlier-failure', 'locked', 'stopped'];

/**
 * The verdict on a group in three-valued logic. It holds where enough members are ok; it fails where even all that
 * are not known could not make it hold; else it is no more known than they are. What was skipped because it does not
 * apply is not counted, and a group of which nothing was counted is skipped, never ok.
 */
export function judgeRequirement(require: Requirement, members: readonly MemberResult[], leftOut = 0): Attempt {
  const counted = members.filter(({ outcome, reason }) => outcome !== 'skipped' || undecided.includes(reason));
  const standing = counted.map((member) => ({ ...member, stands: standsFor(member) }));
  const count = (stands: Standing) => standing.filter((member) => member.stands === stands).length;
  const [good, warned, failed] = [count('ok'), count('warning'), count('failed')];
  const open = count('open') + leftOut;
  const total = counted.length + leftOut;
  const needed = require === 'all' ? total : require === 'any' ? 1 : require;
  const data = { ok: good + warned, warning: warned, failed, unknown: open, total, needed };
  if (total === 0) return { ...nothingCounted(members), data };
  const summary = [`${good + warned} of ${total} ok, ${needed} needed`, ...namesOf(standing)];
  const told = (outcome: Attempt['outcome'], reason: string): Attempt => ({
    outcome,
    reason,
    summary: summary.join('; '),
    data,
  });
  if (good >= needed) return told('ok', 'ok');
  if (good + warned >= needed) return told('warning', 'warning');
  if (good + warned + open < needed) return told('failed', 'too-few-ok');
  if (leftOut > 0) summary.push(`${leftOut} not chosen`);
  const unknown = standing.filter(({ stands }) => stands === 'open');
  const outcome = worstOutcome(unknown.map((member) => member.outcome));
  const why = unknown.find((member) => member.outcome === outcome);
  // A host out of reach is told once, in the words of its members.
  if (why && (outcome === 'unreachable' || outcome === 'refused'))
    return { ...told(outcome, why.reason), summary: why.summary };
  return told(outcome, outcome === 'skipped' ? (why?.reason ?? 'not-chosen') : 'members-unknown');
}

type Standing = 'ok' | 'warning' | 'failed' | 'open';

function standsFor(member: MemberResult): Standing {
  if (isRescued(member) || ['ok', 'changed'].includes(member.outcome)) return 'ok';
  return member.outcome === 'warning' || member.outcome === 'failed' ? member.outcome : 'open';
}

/** By rescue steps: that a verdict covered it before says nothing about it. */
function isRescued({ rescued, covered }: MemberResult): boolean {
  return rescued === true && !covered;
}

function nothingCounted(members: readonly MemberResult[]): Attempt {
  const [first] = members;
  const same = first && members.every(({ reason }) => reason === first.reason);
  if (same) return { outcome: 'skipped', reason: first.reason, summary: first.summary };
  return { outcome: 'skipped', reason: 'not-applicable', summary: 'none of its steps applies here' };
}

const shownNames = 5;

function namesOf(members: readonly MemberResult[]): string[] {
  const outcomes: readonly Outcome[] = ['failed', 'unknown', 'warning'];
  return outcomes.flatMap((outcome) => {
    const names = members
      .filter((member) => member.outcome === outcome && !isRescued(member))
      .map(({ name, item }) => (item === undefined ? name : `${name} [${item}]`));
    if (names.length === 0) return [];
    const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
    return [`${outcome}: ${names.slice(0, shownNames).join(', ')}${more}`];
  });
}
