import { type DraftStep, type RunbookDraft, writeOnOneLine } from '../documents/write-runbook.js';
import { escapeLine } from '../reports/escape.js';
import type { StepResult } from '../result/result.schema.js';
import type { Survey } from './subject.js';
import type { Part, Step, Trial } from './trial.js';

export interface Origin {
  readonly host: string;
  readonly version: string;
  readonly now: Date;
  readonly sudo: boolean;
}

export interface Written {
  readonly draft: RunbookDraft;
  /** What is not in it, and why; with the numbers of now. */
  readonly leftOut: readonly string[];
}

const schema = 'https://opsctl.dev/schemas/v1/runbook.schema.json';

/** The runbook of the checks that passed, with all that a person has to look at as comments. */
export function draftRunbook(
  parts: readonly Part[],
  results: ReadonlyMap<Step, StepResult>,
  refused: ReadonlyMap<Step, string>,
  survey: Survey,
  origin: Origin,
): Written {
  const steps: DraftStep[] = [];
  const leftOut: string[] = [];
  let comment: readonly string[] = [];
  for (const { subject, trials, notes } of parts) {
    const own: DraftStep[] = [];
    const missing: string[] = [];
    for (const trial of trials) {
      const passed = trial.ways.find((way) => results.get(way)?.outcome === 'ok');
      const why = passed ? undefined : whyNot(trial, results, refused);
      if (passed) own.push({ comment: reviews(trial.candidate.note), step: passed });
      if (!why) continue;
      const { mend } = trial.candidate;
      missing.push(
        `left out, ${why.lasting}${mend ? `; ${escapeLine(mend)}` : ''}`,
        `  - ${oneLine(trial.ways[0] as Step)}`,
      );
      leftOut.push(`${escapeLine(trial.candidate.name)}: ${why.now}`);
    }
    if (own.length + missing.length + notes.length === 0) continue;
    const above = [...comment, ...(comment.length > 0 ? [''] : []), `--- ${subject.title} ---`, ...reviews(...notes)];
    const [first, ...others] = own;
    if (first) steps.push({ ...first, comment: [...above, ...first.comment] }, ...others);
    comment = first ? missing : [...above, ...missing];
  }
  return { draft: { header: header(survey, origin), head: head(origin), steps, footer: comment }, leftOut };
}

function reviews(...notes: readonly (string | undefined)[]): readonly string[] {
  return notes.flatMap((note) => (note === undefined ? [] : [`REVIEW: ${escapeLine(note)}`]));
}

function head({ host, sudo }: Origin) {
  return { name: `Host ${host}`, hosts: host, ...(sudo && { sudo }) };
}

function header(survey: Survey, { host, version, now, sudo }: Origin): readonly string[] {
  const [system] = survey.lines('system');
  return [
    `yaml-language-server: $schema=${schema}`,
    '',
    `What ${escapeLine(host)} looked like to opsctl discover ${version}${sudo ? ' --sudo' : ''}`,
    `on ${now.toISOString()}${system === undefined ? '' : `, ${escapeLine(system)}`}`.replace(/\.\d+Z/, 'Z'),
    '',
    'Every check was run and passed before it was written. That it is so does not mean that it is right. Review:',
    '- each line with REVIEW: it needs a decision, or a value that only you know',
    '- what was left out because it did not pass: mend it, or take the line in with other limits',
    '- limits are the defaults of each check: `opsctl steps check.disk` tells them, `with` changes them',
    ...(survey.isRoot ? [] : ['- what only root may see is missing: `opsctl discover --sudo` shows it']),
    '',
  ];
}

/** Undefined for what the host does not have, and nobody misses. */
function whyNot(
  { candidate, ways }: Trial,
  results: ReadonlyMap<Step, StepResult>,
  refused: ReadonlyMap<Step, string>,
): { readonly lasting: string; readonly now: string } | undefined {
  const [first] = ways;
  const problem = first && refused.get(first);
  if (problem !== undefined) return { lasting: escapeLine(problem), now: escapeLine(problem) };
  const result = first && results.get(first);
  if (!result) return { lasting: 'not tried', now: 'was not tried' };
  const { outcome, reason, metrics } = result;
  if (outcome === 'skipped') return undefined;
  if (candidate.optional && reason === 'tool-missing') return undefined;
  const summary = escapeLine(result.summary);
  if (reason === 'needs-privilege')
    return { lasting: 'unknown: needs root, look again with `opsctl discover --sudo`', now: `${summary}; try --sudo` };
  // Numbers are others a minute later, and the file shall be the same for the same host.
  const lasting = metrics.length > 0 ? `${outcome}: ${reason}` : `${outcome}: ${summary}`;
  return { lasting, now: `${outcome}: ${summary}` };
}

function oneLine({ uses, with: params, from }: Step): string {
  return escapeLine(
    writeOnOneLine({ uses, ...(from !== undefined && { from }), ...(params !== undefined && { with: params }) }),
  );
}
