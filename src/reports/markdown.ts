import type { Finding, RunResult } from '../result/result.schema.js';
import { codeMarkdown, escapeMarkdown, fenceMarkdown, guardLog } from './escape.js';
import { count, formatChanges, formatExit, formatSeconds, formatTime, formatTotals, hostTotals } from './figures.js';
import {
  attentionOrder,
  explanationOf,
  groupResults,
  isCommand,
  needsAttention,
  outputOf,
  type ResultGroup,
  titleOfStep,
} from './groups.js';
import { foldHosts } from './hosts.js';
import { foldNumbers } from './numbers.js';
import { remedyFor } from './remedies.js';
import type { Report } from './report.js';
import { findingNotes, labelOf, notesOf, withExcuse, withNotes } from './standing.js';

export const markdown: Report = {
  name: 'markdown',
  summary: 'For a ticket, a merge request or a job summary; at most 1 MiB',
  machine: true,
  render: renderMarkdown,
};

/** GitHub refuses a job summary above 1 MiB; the rest is for the note that says what was cut. */
const maxBytes = 1024 * 1024 - 512;
const maxExcerptLines = 20;
const maxFindings = 50;

function renderMarkdown(result: RunResult): string {
  const groups = groupResults(result);
  const worst = attentionOrder.flatMap((outcome) =>
    groups.filter((group) => group.outcome === outcome && needsAttention(group)),
  );
  const outputs = groups.filter((group) => isCommand(group.uses) && !needsAttention(group) && hasOutput(group));
  const blocks = [
    heading(result),
    summary(result),
    ...worst.map((group) => details(group, result.hosts.length)),
    stepTable(
      foldNumbers(
        groups,
        result.hosts.map(({ name }) => name),
      ),
      result.hosts.length,
    ),
    ...outputs.map((group) => output(group, result.hosts.length)),
  ];
  return `${guardLog(limited(blocks))}\n`;
}

function heading({ run }: RunResult): string {
  return `## ${escapeMarkdown(run.runbook)}${run.mode === 'dry-run' ? ' (dry run, nothing was changed)' : ''}`;
}

function summary(result: RunResult): string {
  const { run, totals, exit, warnings } = result;
  const changed = formatChanges(totals);
  const lines = [
    `**${escapeMarkdown(formatExit(exit))}**`,
    `${count(result.hosts.length, 'host')}: ${formatTotals(hostTotals(result))}. Steps: ${formatTotals(totals)}.${changed === '' ? '' : ` Since the last run: ${changed}.`}`,
    `Run ${codeMarkdown(run.id)}, ${escapeMarkdown(formatTime(run.startedAt))}, ${formatSeconds(run.duration)}${
      run.actor === undefined ? '' : `, by ${codeMarkdown(run.actor)}`
    }.`,
    ...(run.stopped === undefined ? [] : [`Stopped early: ${escapeMarkdown(run.stopped)}.`]),
  ];
  return [lines.join('  \n'), ...warnings.map((warning) => `> ${escapeMarkdown(warning)}`)].join('\n\n');
}

function details(group: ResultGroup, hosts: number): string {
  const remedy = remedyFor(group.reason);
  const ownRemedies = group.findings.some((finding) => finding.remedy !== undefined);
  return [
    `### ${group.outcome}: ${escapeMarkdown(titleOfStep(group))}`,
    [
      `- where: ${hostList(group, hosts)}`,
      `- why: ${escapeMarkdown(group.summary)} (${codeMarkdown(group.reason)})`,
      ...notesOf(group).map((note) => `- ${escapeMarkdown(note)}`),
      ...findingLines(group.findings),
      ...(remedy && !ownRemedies ? [`- do: ${escapeMarkdown(remedy)}`] : []),
    ].join('\n'),
    ...excerpt(group),
  ].join('\n\n');
}

function findingLines(findings: readonly Finding[]): readonly string[] {
  const lines = findings
    .slice(0, maxFindings)
    .flatMap((finding) => [
      `- ${finding.severity}: ${escapeMarkdown(finding.subject)}: ${escapeMarkdown(`${finding.detail}${findingNotes(finding)}`)}`,
      ...(finding.remedy === undefined ? [] : [`  - do: ${escapeMarkdown(finding.remedy)}`]),
    ]);
  const more = findings.length - maxFindings;
  return more > 0 ? [...lines, `- and ${count(more, 'more finding')}`] : lines;
}

function excerpt({ sample, outcome, outputs, hosts }: ResultGroup): readonly string[] {
  const said = sample && outcome !== 'warning' ? explanationOf(sample) : undefined;
  if (!said) return [];
  const lines = said.text.replace(/\n+$/, '').split('\n');
  const note = [
    ...(lines.length > maxExcerptLines ? [`last ${maxExcerptLines} of ${lines.length} lines`] : []),
    ...(outputs > 1 ? [`one of ${outputs} different outputs, from ${codeMarkdown(hosts[0] ?? '')}`] : []),
  ];
  return [...(note.length > 0 ? [`${note.join('; ')}:`] : []), fenceMarkdown(lines.slice(-maxExcerptLines).join('\n'))];
}

function stepTable(groups: readonly ResultGroup[], hosts: number): string {
  if (groups.length === 0) return '';
  const rows = groups.map((group) => {
    const text = escapeMarkdown(withNotes(withExcuse(group.summary, group), group));
    return `| ${labelOf(group.outcome, group)} | ${escapeMarkdown(titleOfStep(group))} | ${hostList(group, hosts)} | ${text} |`;
  });
  return ['| result | step | hosts | what |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function output(group: ResultGroup, hosts: number): string {
  const { stdout } = outputOf(group.sample as NonNullable<typeof group.sample>);
  return `#### ${escapeMarkdown(titleOfStep(group))} on ${hostList(group, hosts)}\n\n${fenceMarkdown(stdout)}`;
}

function hasOutput({ sample }: ResultGroup): boolean {
  return sample !== undefined && outputOf(sample).stdout.trim().includes('\n');
}

function hostList({ hosts }: ResultGroup, all: number): string {
  if (hosts.length > 1 && hosts.length === all) return `all ${all}`;
  const names = foldHosts(hosts).map(escapeMarkdown).join(' ');
  return hosts.length > 1 ? `${hosts.length}: ${names}` : names;
}

/** Whole blocks, then whole lines, as far as they fit, and what is missing. */
function limited(blocks: readonly string[]): string {
  const text = blocks.filter((block) => block !== '').join('\n\n');
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const kept: string[] = [];
  let used = 0;
  const all = blocks.filter((block) => block !== '');
  for (const block of all) {
    used += Buffer.byteLength(block) + 2;
    if (used > maxBytes) break;
    kept.push(block);
  }
  const left = all.length - kept.length;
  return [
    ...kept,
    `**Cut at 1 MiB: ${left} of ${count(all.length, 'section')} left out.** The json report has everything.`,
  ].join('\n\n');
}
