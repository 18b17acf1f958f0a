import { createHash } from 'node:crypto';
import type { RunResult } from '../result/result.schema.js';
import { escapeCommandMessage, escapeCommandProperty } from './escape.js';
import { attentionOrder, groupResults, needsAttention, type ResultGroup, titleOfStep } from './groups.js';
import { foldHosts } from './hosts.js';
import { repositoryFile } from './issues.js';
import { clip } from './layout.js';
import { remedyFor } from './remedies.js';
import type { Report } from './report.js';
import { withNotes } from './standing.js';
import { table } from './table.js';

export const github: Report = {
  name: 'github',
  summary: 'Annotations for GitHub Actions, then the table',
  machine: true,
  render: renderGithub,
};

/** GitHub shows ten of a type for a step and drops the others without a word. */
const maxAnnotations = 10;
/** Longer messages are cut by GitHub itself. */
const maxMessage = 4_000;

function renderGithub(result: RunResult): string {
  const groups = groupResults(result).filter(needsAttention);
  const worst = attentionOrder.flatMap((outcome) => groups.filter((group) => group.outcome === outcome));
  const plain = table.render(result, { color: false, width: 120, verbose: false });
  const token = stopToken(result);
  return [
    ...annotations(
      'error',
      worst.filter(({ outcome }) => outcome !== 'warning'),
      result,
    ),
    ...annotations(
      'warning',
      worst.filter(({ outcome }) => outcome === 'warning'),
      result,
    ),
    // What hosts said comes below, line by line harmless already: the runner is told not to listen, too.
    `::stop-commands::${token}`,
    plain.trimEnd(),
    `::${token}::`,
    '',
  ].join('\n');
}

function annotations(type: 'error' | 'warning', groups: readonly ResultGroup[], result: RunResult): readonly string[] {
  const fits = groups.length <= maxAnnotations;
  const shown = fits ? groups : groups.slice(0, maxAnnotations - 1);
  return [
    ...shown.map((group) => command(type, title(group), message(group), result)),
    ...(fits
      ? []
      : [
          command(
            type,
            `${groups.length - shown.length} more`,
            'the table below and the json report have them all',
            result,
          ),
        ]),
  ];
}

function command(type: string, head: string, text: string, result: RunResult): string {
  // GitHub finds the file by its path from the root of the repository.
  const file = repositoryFile(result);
  const place = file === undefined ? '' : `file=${escapeCommandProperty(file)},`;
  return `::${type} ${place}title=${escapeCommandProperty(head)}::${escapeCommandMessage(text)}`;
}

function title(group: ResultGroup): string {
  return clip(`${titleOfStep(group)}: ${group.outcome} on ${foldHosts(group.hosts).join(' ')}`, 200);
}

function message(group: ResultGroup): string {
  const remedies = group.findings.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]));
  const remedy = remedies[0] ?? remedyFor(group.reason);
  return (
    clip(withNotes(`${group.summary} (${group.reason})`, group), maxMessage) +
    (remedy === undefined ? '' : `\ndo: ${clip(remedy, 400)}`)
  );
}

/** No host can know it while it speaks: it depends on everything all of them said, and on the run. */
function stopToken(result: RunResult): string {
  return createHash('sha256').update(JSON.stringify(result)).digest('hex').slice(0, 32);
}
