import { changes, type RunResult } from '../result/result.schema.js';
import { hostTrouble, ownSteps, titleOfStep } from './groups.js';
import { type Html, html } from './html-markup.js';
import { labelOf, standingOf } from './standing.js';

type Found = Pick<
  ReturnType<typeof standingOf>,
  'waived' | 'waiverExpired' | 'soft' | 'change' | 'gone' | 'newFindings'
> & { readonly findings?: readonly { readonly waived?: unknown }[] };

/** What the filter knows of a result beside its outcome and its step. */
export function marksOf({ waived, waiverExpired, soft, change, gone, newFindings, findings }: Found): string {
  const marks = [
    ...(waived || findings?.some((finding) => finding.waived) ? ['waived'] : []),
    ...(waiverExpired ? ['expired'] : []),
    ...(soft ? ['soft'] : []),
    ...(change ? [change] : []),
    ...(newFindings === undefined || change === 'new' ? [] : ['new']),
    ...(gone && gone.length > 0 && change !== 'fixed' ? ['fixed'] : []),
  ];
  return marks.join(' ');
}

/** A form that only the script shows: without it, nothing would happen. */
export function filterForm(result: RunResult): Html {
  const outcomes = new Set<string>();
  const steps = new Set<string>();
  const marks = new Set<string>();
  for (const host of result.hosts) {
    const trouble = hostTrouble(host);
    const own = standingOf(host);
    if (trouble) {
      outcomes.add(labelOf(host.outcome, own));
      steps.add(trouble.name);
      for (const mark of marksOf(own).split(' ')) marks.add(mark);
    }
    for (const step of ownSteps(host)) {
      const standing = standingOf(step);
      outcomes.add(labelOf(step.outcome, standing));
      steps.add(titleOfStep(step));
      for (const mark of marksOf({ ...standing, findings: step.findings }).split(' ')) marks.add(mark);
    }
  }
  const standings = [...changes, 'soft', 'waived', 'expired'].filter((mark) => marks.has(mark));
  const all = marks.has('waived') ? [...standings, 'not waived'] : standings;
  return html`<form id="filter" role="search" aria-label="Filter the results" hidden>
<label>Text<input type="search" name="text" autocomplete="off" placeholder="any word"></label>
<label>Host<input type="search" name="host" list="hosts" autocomplete="off" placeholder="all hosts"></label>
${choice('Result', 'outcome', 'all results', [...outcomes])}${choice('Step', 'step', 'all steps', [...steps])}${all.length === 0 ? html`<input type="hidden" name="standing" value="">` : choice('State', 'standing', 'all', all)}<button type="reset">Show all</button>
<output id="shown" aria-live="polite"></output>
<datalist id="hosts">${result.hosts.slice(0, maxHosts).map(({ name }) => html`<option value="${name}"></option>`)}</datalist>
</form>
`;
}

/** More suggestions help nobody. */
const maxHosts = 1_000;

function choice(label: string, name: string, all: string, values: readonly string[]): Html {
  return html`<label>${label}<select name="${name}"><option value="">${all}</option>${values.map((value) => html`<option value="${value}">${value}</option>`)}</select></label>
`;
}
