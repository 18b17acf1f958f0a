import type { RunResult } from '../result/result.schema.js';
import { escapeLine, guardLog } from './escape.js';
import { count, formatChanges, formatExit } from './figures.js';
import { attentionOrder, groupResults, needsAttention, titleOfStep } from './groups.js';
import { foldHosts } from './hosts.js';
import { clip } from './layout.js';
import { withNotes } from './standing.js';

const maxLines = 20;
const maxWidth = 200;

/** What `--quiet` says on stderr: nothing on exit 0, else at most 20 lines, which cron mails. */
export function quietSummary(result: RunResult): string {
  if (result.exit.code === 0) return '';
  const groups = groupResults(result).filter(needsAttention);
  const worst = attentionOrder.flatMap((outcome) => groups.filter((group) => group.outcome === outcome));
  const room = maxLines - 3;
  const shown = worst.length > room ? worst.slice(0, room - 1) : worst;
  const changed = formatChanges(result.totals);
  const lines = [
    `opsctl: ${result.run.runbook}: ${formatExit(result.exit)}${changed === '' ? '' : `; since the last run ${changed}`}`,
    ...shown.map(
      (group) =>
        `${group.outcome} ${foldHosts(group.hosts).join(' ')}: ${titleOfStep(group)}: ${withNotes(group.summary, group)}`,
    ),
    ...(worst.length > shown.length ? [`and ${count(worst.length - shown.length, 'more result')}`] : []),
    `see: opsctl report ${result.run.id}`,
  ];
  return `${guardLog(lines.map((line) => clip(escapeLine(line), maxWidth)).join('\n'))}\n`;
}
