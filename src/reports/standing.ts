import type { Finding, HostResult, Outcome, StepResult, Waiver } from '../result/result.schema.js';
import { count } from './figures.js';

/** What is known of a result beyond what its host said: whether it is accepted, whether it is news. */
export type Standing = Partial<
  Pick<StepResult, 'waived' | 'waiverExpired' | 'change' | 'since' | 'soft' | 'gone' | 'covered'>
> & {
  /** How many of its findings are new, where it is not new itself. */
  readonly newFindings?: number;
};

export function standingOf(step: StepResult | HostResult): Standing {
  const { waived, change, since } = step;
  const own = { ...(waived && { waived }), ...(change && { change }), ...(since !== undefined && { since }) };
  if (!('step' in step)) return own;
  const { waiverExpired, soft, gone, covered, findings } = step;
  const newFindings = change === 'still' ? findings.filter((finding) => finding.change === 'new').length : 0;
  return {
    ...own,
    ...(waiverExpired && { waiverExpired }),
    ...(soft && { soft }),
    ...(gone && { gone }),
    ...(covered && { covered }),
    ...(newFindings > 0 && { newFindings }),
  };
}

/** Results with different keys are not shown as one. Since when is no difference. */
export function standingKey({ waived, waiverExpired, change, soft, gone, covered, newFindings }: Standing): string {
  return JSON.stringify([waived, waiverExpired, change, soft, gone?.length, covered, newFindings]);
}

/** The word for a result: its outcome, unless that does not count. */
export function labelOf(outcome: Outcome, { waived, soft }: Standing): Outcome | 'waived' | 'soft' {
  return waived ? 'waived' : soft ? 'soft' : outcome;
}

/** A summary that says first why it does not count: `covered: exit status 1`. */
export function withExcuse(summary: string, { rescued, covered }: Pick<StepResult, 'rescued' | 'covered'>): string {
  return rescued ? `${covered ? 'covered' : 'rescued'}: ${summary}` : summary;
}

/** `new`, `still since 2026-11-20`, `waived by anna until 2026-12-31: new disks arrive (OPS-12)` … */
export function notesOf(standing: Standing): readonly string[] {
  const { waived, waiverExpired, change, since, soft, gone, newFindings } = standing;
  return [
    ...(waived ? [waiverText(waived)] : []),
    ...(waiverExpired ? [expiredText(waiverExpired)] : []),
    ...(soft ? [`soft ${soft.run} of ${soft.of}`] : []),
    ...(change ? [change === 'still' && since !== undefined ? `still since ${since.slice(0, 10)}` : change] : []),
    ...(newFindings === undefined ? [] : [count(newFindings, 'new finding')]),
    ...(gone && gone.length > 0 ? [`${count(gone.length, 'finding')} fixed`] : []),
  ];
}

/** The same after a summary: `/ is 97% full (new)`. */
export function withNotes(summary: string, standing: Standing): string {
  const notes = notesOf(standing);
  return notes.length === 0 ? summary : `${summary} (${notes.join(', ')})`;
}

/** What is to be said of one finding of several. */
export function findingNotes({ waived, waiverExpired, change }: Finding): string {
  const notes = [
    ...(waived ? [waiverText(waived)] : []),
    ...(waiverExpired ? [expiredText(waiverExpired)] : []),
    ...(change === 'new' ? ['new'] : []),
  ];
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`;
}

export function waiverText({ owner, reason, ticket, expires }: Waiver): string {
  return `waived by ${owner} until ${expires}: ${reason}${ticket === undefined ? '' : `, ${ticket}`}`;
}

function expiredText({ owner, expires }: Waiver): string {
  return `waiver of ${owner} expired ${expires}`;
}
