import { Chalk, type ChalkInstance } from 'chalk';
import type { RunResult } from '../result/result.schema.js';
import { printColumns } from './columns.js';
import { escapeLine, escapeText, guardLog } from './escape.js';
import {
  count,
  formatChanges,
  formatExit,
  formatMetric,
  formatSeconds,
  formatTime,
  formatTotals,
  hostTotals,
  stepCount,
} from './figures.js';
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
import { clip, pad, widthOf, wrap } from './layout.js';
import { remedyFor } from './remedies.js';
import type { Report, ReportView } from './report.js';
import { findingNotes, labelOf, notesOf, withExcuse, withNotes } from './standing.js';

export const table: Report = {
  name: 'table',
  summary: 'For people: what needs attention first, then every step',
  machine: false,
  render: renderTable,
};

/** What a part of the table needs to know about the medium. */
interface Page {
  readonly chalk: ChalkInstance;
  readonly width: number;
  readonly verbose: boolean;
  readonly hosts: number;
}

function renderTable(result: RunResult, view: ReportView): string {
  const page: Page = {
    chalk: new Chalk({ level: view.color ? 1 : 0 }),
    width: Math.max(40, view.width),
    verbose: view.verbose,
    hosts: result.hosts.length,
  };
  const groups = groupResults(result);
  const sections = [
    header(result, page),
    ...attention(groups, page),
    ...commandOutputs(groups, page),
    steps(groups, page),
    footer(result, page),
  ];
  const text = sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n');
  return `${guardLog(text)}\n`;
}

function header({ run, hosts, warnings }: RunResult, { chalk, width }: Page): readonly string[] {
  const mode = run.mode === 'dry-run' ? '  dry run, nothing was changed' : '';
  const facts = [
    formatTime(escapeLine(run.startedAt)),
    count(hosts.length, 'host'),
    formatSeconds(run.duration),
    `run ${escapeLine(run.id)}`,
  ];
  return [
    `${chalk.bold(clip(escapeLine(run.runbook), width - mode.length))}${mode}`,
    chalk.dim(clip(facts.join('  '), width)),
    ...(run.stopped === undefined ? [] : [chalk.red(clip(`stopped early: ${escapeLine(run.stopped)}`, width))]),
    ...warnings.flatMap((warning) => labelled('warning', escapeLine(warning), width, chalk.yellow)),
  ];
}

/** Detail for this many groups; what is beyond is in the table, and all of it with --verbose. */
const maxDetails = 25;

function attention(groups: readonly ResultGroup[], page: Page): readonly (readonly string[])[] {
  const worst = attentionOrder.flatMap((outcome) =>
    groups.filter((group) => group.outcome === outcome && needsAttention(group)),
  );
  const shown = page.verbose ? worst : worst.slice(0, maxDetails);
  const more = worst.length - shown.length;
  return [
    ...shown.map((group) => details(group, page)),
    ...(more > 0 ? [[page.chalk.bold(`and ${more} more that differ: see them with --verbose`)]] : []),
  ];
}

function details(group: ResultGroup, page: Page): readonly string[] {
  const { chalk, width } = page;
  const color = colorOf(group.outcome, chalk);
  const title = `${group.outcome.toUpperCase()}  ${titleOf(group)}`;
  const remedy = remedyFor(group.reason);
  return [
    color.bold(clip(title, width)),
    ...hostLines(group, page),
    ...labelled('why', escapeLine(`${group.summary} (${group.reason})`), width),
    ...notesOf(group).flatMap((note) => labelled('note', escapeLine(note), width)),
    ...findingLines(group, page),
    ...evidenceLines(group, page),
    ...(remedy && group.findings.every((finding) => finding.remedy === undefined)
      ? labelled('do', remedy, width, chalk.cyan)
      : []),
  ];
}

function titleOf(group: ResultGroup): string {
  return escapeLine(`${titleOfStep(group)}  (${group.uses})`);
}

function hostLines(group: ResultGroup, page: Page): readonly string[] {
  if (page.hosts === 1) return [];
  if (group.hosts.length > 1 && group.hosts.length === page.hosts)
    return labelled('hosts', `all ${page.hosts}`, page.width);
  const names = foldHosts(group.hosts).map(escapeLine).join(' ');
  const label = group.hosts.length === 1 ? 'host' : `${group.hosts.length} hosts`;
  return labelled(label, names, page.width, page.chalk.bold, page.verbose ? undefined : 6);
}

const severityRank: Readonly<Record<string, number>> = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };
const maxFindings = 10;

function findingLines({ findings }: ResultGroup, { chalk, width, verbose }: Page): readonly string[] {
  const sorted = [...findings].sort((a, b) => (severityRank[a.severity] ?? 9) - (severityRank[b.severity] ?? 9));
  const shown = verbose ? sorted : sorted.slice(0, maxFindings);
  const more = sorted.length - shown.length;
  return [
    ...shown.flatMap((finding) => [
      ...labelled(finding.severity, escapeLine(`${finding.subject}: ${finding.detail}${findingNotes(finding)}`), width),
      ...(finding.remedy === undefined ? [] : labelled('do', escapeLine(finding.remedy), width, chalk.cyan)),
    ]),
    ...(more > 0 ? labelled('', `and ${count(more, 'more finding')}: see them with --verbose`, width) : []),
  ];
}

const excerptLines = 5;

function evidenceLines(group: ResultGroup, { chalk, width, verbose }: Page): readonly string[] {
  const { sample } = group;
  const said = sample && group.outcome !== 'warning' ? explanationOf(sample, verbose) : undefined;
  if (!said) return [];
  const all = textLines(said.text);
  // One line that the summary already quotes says nothing new.
  if (all.length === 1 && group.summary.includes((all[0] ?? '').trim())) return [];
  const lines = verbose ? all : all.slice(-excerptLines);
  const label = (index: number) => (index === 0 ? said.from : '');
  const note = [
    ...(lines.length < all.length ? [`last ${lines.length} of ${count(all.length, 'line')}`] : []),
    ...(group.outputs > 1
      ? [`one of ${group.outputs} different outputs, from ${escapeLine(group.hosts[0] ?? '')}`]
      : []),
  ];
  return [
    ...lines.map((line, index) => `  ${pad(label(index), 8)}${chalk.dim('|')} ${clip(line, width - 12)}`),
    ...(note.length > 0 ? labelled('', `(${note.join('; ')})`, width, chalk.dim) : []),
  ];
}

/** What commands printed, where it is more than the one line that the table shows. */
function commandOutputs(groups: readonly ResultGroup[], page: Page): readonly (readonly string[])[] {
  return groups
    .filter((group) => isCommand(group.uses) && !needsAttention(group) && group.sample)
    .map((group) => ({ group, lines: textLines(outputOf(group.sample as NonNullable<typeof group.sample>).stdout) }))
    .filter(({ lines }) => lines.length > 1)
    .map(({ group, lines }) => [
      page.chalk.bold(clip(`OUTPUT  ${titleOf(group)}`, page.width)),
      ...hostLines(group, page),
      ...lines.map((line) => `  ${line}`),
    ]);
}

function textLines(output: string): readonly string[] {
  const lines = escapeText(output.replaceAll('\r\n', '\n')).replaceAll('\t', '        ').split('\n');
  while (lines.at(-1)?.trim() === '') lines.pop();
  while (lines[0]?.trim() === '') lines.shift();
  return lines;
}

interface Row {
  readonly outcome: ReturnType<typeof labelOf>;
  readonly step: string;
  readonly hosts: readonly string[];
  readonly summary: string;
}

function steps(groups: readonly ResultGroup[], page: Page): readonly string[] {
  const rows = rowsOf(groups, page);
  if (rows.length === 0) return [];
  const withHosts = page.hosts > 1;
  const quiet = (row: Row) => row.outcome === 'ok' || row.outcome === 'skipped';
  return printColumns(
    ['result', 'step', ...(withHosts ? ['hosts'] : []), 'what'],
    rows.map((row) => ({
      cells: [row.outcome, row.step, ...(withHosts ? [hostsCell(row.hosts, page)] : []), row.summary],
      style: [colorOf(row.outcome, page.chalk), ...(quiet(row) ? [] : [page.chalk.bold])],
    })),
    page.width,
    page.chalk,
  );
}

/** Rows of one step and outcome that differ only in their numbers; more than this become one. */
const maxRows = 3;

function rowsOf(groups: readonly ResultGroup[], page: Page): readonly Row[] {
  const byStep = new Map<string, ResultGroup[]>();
  for (const group of groups) {
    const key = JSON.stringify([
      group.step,
      group.item,
      labelOf(group.outcome, group),
      group.rescued,
      group.covered,
      notesOf(group),
    ]);
    const same = byStep.get(key);
    if (same) same.push(group);
    else byStep.set(key, [group]);
  }
  return [...byStep.values()].flatMap((same) => {
    const [first] = same as [ResultGroup, ...ResultGroup[]];
    const step = escapeLine(titleOfStep(first));
    if (same.length <= maxRows || page.verbose || isCommand(first.uses))
      return same.map((group) => ({
        outcome: labelOf(group.outcome, group),
        step,
        hosts: group.hosts,
        summary: escapeLine(withNotes(withExcuse(group.summary, group), group)),
      }));
    const hosts = same.flatMap((group) => group.hosts);
    return [
      {
        outcome: labelOf(first.outcome, first),
        step,
        hosts,
        summary: escapeLine(withNotes(spread(same), first)),
      },
    ];
  });
}

/** `used 12% (db1) to 63% (web07)` of many results, or how many there are. */
function spread(groups: readonly ResultGroup[]): string {
  const name = groups[0]?.sample?.metrics[0]?.name;
  const values = groups
    .map(({ sample, hosts }) => ({
      host: hosts[0] ?? '',
      metric: sample?.metrics.find((metric) => metric.name === name),
    }))
    .filter((value) => value.metric !== undefined && Number.isFinite(value.metric.value))
    .sort((a, b) => (a.metric?.value ?? 0) - (b.metric?.value ?? 0));
  const low = values[0];
  const high = values.at(-1);
  if (name === undefined || values.length < groups.length || !low?.metric || !high?.metric)
    return `${groups.length} different results`;
  const show = ({ value, unit }: typeof low.metric) => formatMetric(value, unit);
  return `${name.replace(/\{(.*)\}$/, ' $1')} ${show(low.metric)} (${low.host}) to ${show(high.metric)} (${high.host})`;
}

function hostsCell(hosts: readonly string[], page: Page): string {
  if (hosts.length > 1 && hosts.length === page.hosts) return `all ${hosts.length}`;
  // Of a large majority the number is enough: those who differ are named in their own rows.
  if (hosts.length > 8 && hosts.length > page.hosts / 2) return `${hosts.length} of ${page.hosts}`;
  const names = foldHosts(hosts).map(escapeLine);
  return hosts.length > names.length ? `${hosts.length}: ${names.join(' ')}` : names.join(' ');
}

function footer(result: RunResult, { chalk, width }: Page): readonly string[] {
  const { exit, run, totals } = result;
  const changed = formatChanges(totals);
  const lines = [
    `${count(result.hosts.length, 'host')}: ${formatTotals(hostTotals(result))}`,
    `${count(stepCount(totals), 'step')}: ${formatTotals(totals)}`,
    ...(changed === '' ? [] : [`since the last run: ${changed}`]),
  ];
  const id = escapeLine(run.id);
  const color = exit.code === 0 ? chalk.green : chalk.red;
  return [
    ...wrap(lines.join('  ·  '), width),
    ...wrap(escapeLine(formatExit(exit)), width).map((line) => color.bold(line)),
    ...(canResume(result) ? labelled('next', `opsctl resume ${id}`, width) : []),
    ...(exit.code === 0 ? [] : labelled('more', `opsctl report ${id} --verbose`, width)),
  ];
}

/** Something was cut off while it ran, so that its true end can still be fetched. */
function canResume({ run, hosts }: RunResult): boolean {
  const cutOff = ['interrupted', 'connection-lost', 'keepalive-timeout'];
  return (
    (run.stopped !== undefined && run.stopped !== 'locked') ||
    hosts.some(({ steps }) => steps.some(({ outcome, reason }) => outcome === 'unknown' && cutOff.includes(reason)))
  );
}

/** `  label   text`, the text wrapped beside its label. A long label gets a line of its own. */
function labelled(
  label: string,
  text: string,
  width: number,
  style: (text: string) => string = (plain) => plain,
  maxLines?: number,
): readonly string[] {
  const indent = 10;
  const lines = wrap(text, width - indent, maxLines).map((line) => style(line));
  if (widthOf(label) > indent - 3)
    return [`  ${clip(label, width - 2)}`, ...lines.map((line) => `${' '.repeat(indent)}${line}`)];
  return lines.map((line, index) => `  ${pad(index === 0 ? label : '', indent - 2)}${line}`);
}

function colorOf(outcome: ReturnType<typeof labelOf>, chalk: ChalkInstance): ChalkInstance {
  switch (outcome) {
    case 'ok':
      return chalk.green;
    case 'changed':
      return chalk.blue;
    case 'warning':
    case 'soft':
      return chalk.yellow;
    case 'unknown':
      return chalk.magenta;
    case 'skipped':
    case 'waived':
      return chalk.dim;
    default:
      return chalk.red;
  }
}
