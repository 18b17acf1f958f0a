import { createHash } from 'node:crypto';
import type { Outcome, RunResult } from '../result/result.schema.js';
import { formatExit, formatSeconds, formatTime, hostTotals } from './figures.js';
import {
  attentionOrder,
  explanationOf,
  groupResults,
  needsAttention,
  type ResultGroup,
  titleOfStep,
} from './groups.js';
import { foldHosts } from './hosts.js';
import { limitChart, shareBar, valueText } from './html-chart.js';
import { filterForm, marksOf } from './html-filter.js';
import { hostList } from './html-hosts.js';
import { lineChart } from './html-line.js';
import { asIs, type Html, html as markup } from './html-markup.js';
import { badge, findingList, output } from './html-pieces.js';
import { script } from './html-script.js';
import { style } from './html-style.js';
import { foldNumbers } from './numbers.js';
import { remedyFor } from './remedies.js';
import type { Report } from './report.js';
import { labelOf, notesOf, withExcuse, withNotes } from './standing.js';

export const html: Report = {
  name: 'html',
  summary: 'One page for a browser or a printer, with filters and charts, and nothing to fetch',
  machine: true,
  render: (result) => `${page(result)}\n`,
};

function page(result: RunResult): Html {
  const { run, exit, hosts } = result;
  const groups = groupResults(result);
  const worst = attentionOrder.flatMap((outcome) =>
    groups.filter((group) => group.outcome === outcome && needsAttention(group)),
  );
  const order = hosts.map(({ name }) => name);
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${asIs(hashOf(style))}; script-src ${asIs(hashOf(script))}; form-action 'none'; base-uri 'none'">
<title>${run.runbook}: ${formatExit(exit)}</title>
<style>${asIs(style)}</style>
</head>
<body>
<header>
<h1><bdi>${run.runbook}</bdi>${run.mode === 'dry-run' ? markup` <small>dry run, nothing was changed</small>` : ''}</h1>
<p class="verdict ${exit.code === 0 ? 'good' : 'bad'}">${formatExit(exit)}</p>
${totals(result)}${facts(result)}
${result.warnings.map((warning) => markup`<p class="note">${warning}</p>\n`)}</header>
${hosts.length > 0 ? filterForm(result) : ''}<main>
${
  worst.length > 0
    ? markup`<section>
<h2>Needs attention</h2>
${worst.map((group) => details(group, hosts.length))}</section>
`
    : ''
}${groups.length > 0 ? stepTable(foldNumbers(groups, order), hosts.length) : ''}${hostList(hosts)}</main>
<footer>opsctl ${run.version}, run ${run.id}</footer>
<script>${asIs(script)}</script>
</body>
</html>`;
}

/** The browser runs and paints only what has this hash: nothing that a host said can be either. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

const bad: readonly Outcome[] = ['failed', 'unknown', 'refused', 'unreachable', 'warning'];
const calm: readonly Outcome[] = ['ok', 'changed', 'skipped'];

/** How many hosts and steps have each outcome: a bar, and every number beside its word. */
function totals(result: RunResult): Html {
  const { waived, soft, ...changes } = result.totals;
  const rows: readonly (readonly [string, Partial<Record<string, number>>, readonly string[]])[] = [
    ['host', hostTotals(result), [...bad, ...calm]],
    ['step', result.totals, [...bad, 'soft', 'waived', ...calm]],
  ];
  const news = (['new', 'still', 'fixed'] as const).filter((change) => (changes[change] ?? 0) > 0);
  return markup`<div class="totals">
${rows.map(([noun, counts, order]) => {
  const parts = order.map((key) => ({ name: key, value: counts[key] ?? 0 })).filter(({ value }) => value > 0);
  const all = parts.reduce((sum, { value }) => sum + value, 0);
  return markup`<div><p><b>${all}</b> ${all === 1 ? noun : `${noun}s`}</p>
${shareBar(parts)}<ul class="legend">${parts.map((part) => markup`<li><b>${part.value}</b> <span class="badge ${part.name}">${part.name}</span></li>`)}</ul></div>
`;
})}</div>
${news.length === 0 ? '' : markup`<ul class="legend news"><li>since the last run:</li>${news.map((change) => markup`<li><b>${changes[change] ?? 0}</b> <span class="badge ${change}">${change}</span></li>`)}</ul>\n`}`;
}

function facts({ run }: RunResult): Html {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Started', formatTime(run.startedAt)],
    ['Took', formatSeconds(run.duration)],
    ['By', run.actor],
    ['Runbook', run.file],
    ['Stopped early', run.stopped],
  ];
  const known = rows.filter(([, value]) => value !== undefined);
  return markup`<dl>${known.map(([name, value]) => markup`<div><dt>${name}</dt><dd><bdi>${value ?? ''}</bdi></dd></div>`)}</dl>`;
}

/** What the filter looks at. */
function filtered(group: ResultGroup): Html {
  return markup`data-outcome="${labelOf(group.outcome, group)}" data-step="${titleOfStep(group)}" data-marks="${marksOf(group)}" data-hosts="${group.hosts.join(' ')}"`;
}

function details(group: ResultGroup, hosts: number): Html {
  const remedy = remedyFor(group.reason);
  const ownRemedies = group.findings.some((finding) => finding.remedy !== undefined);
  return markup`<article class="${group.outcome}" ${filtered(group)}>
<h3>${badge(group.outcome)} <bdi>${titleOfStep(group)}</bdi> <small>${group.uses}</small></h3>
<p class="where">${whereOf(group, hosts)}</p>
<p><bdi>${group.summary}</bdi> <small>${group.reason}</small></p>
${notesOf(group).map((note) => markup`<p class="note">${note}</p>\n`)}${charts(group)}${findingList(group.findings)}${remedy && !ownRemedies ? markup`<p class="do">${remedy}</p>\n` : ''}${excerpt(group)}</article>
`;
}

function excerpt({ sample, outcome, outputs, hosts }: ResultGroup): Html {
  const said = sample && outcome !== 'warning' ? explanationOf(sample) : undefined;
  if (!said) return markup``;
  const note =
    outputs > 1 ? markup`<p><small>one of ${outputs} different outputs, from ${hosts[0] ?? ''}</small></p>\n` : '';
  return markup`${note}${output(said.text)}`;
}

function stepTable(groups: readonly ResultGroup[], hosts: number): Html {
  const rows = groups.map(
    (
      group,
    ) => markup`<tr role="row" ${filtered(group)}><td role="cell">${badge(group.outcome, group)}</td><th role="rowheader" scope="row"><bdi>${titleOfStep(group)}</bdi></th><td role="cell" class="where">${whereOf(group, hosts)}</td><td role="cell"><bdi>${withNotes(withExcuse(group.summary, group), group)}</bdi>${charts(group)}</td></tr>
`,
  );
  // The roles stay when a narrow screen shows rows as blocks.
  return markup`<section>
<h2 id="steps">Steps</h2>
<table class="steps" role="table" aria-labelledby="steps">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Result</th><th role="columnheader" scope="col">Step</th><th role="columnheader" scope="col">Hosts</th><th role="columnheader" scope="col">What</th></tr></thead>
<tbody role="rowgroup">
${rows}</tbody>
</table>
</section>
`;
}

/** Charts of one row; the rest are with each host. */
const maxCharts = 3;

/** The numbers of a group that have limits or are followed, all its hosts on one line. */
function charts({ results }: ResultGroup): Html {
  const names = [...new Set(results.flatMap(({ metrics }) => metrics.map(({ name }) => name)))];
  const drawn: Html[] = [];
  for (const name of names) {
    if (drawn.length >= maxCharts) break;
    const same = results.flatMap(({ metrics }) => metrics.find((metric) => metric.name === name) ?? []);
    const [first] = same;
    // The lines of several hosts are with each host.
    const chart = first && same.length === 1 ? (lineChart(first) ?? limitChart(same)) : limitChart(same);
    if (!chart || !first) continue;
    const values = same.map(({ value }) => value).filter(Number.isFinite);
    drawn.push(markup`<li>${chart}<bdi>${valueText(first, values)}</bdi></li>`);
  }
  return drawn.length === 0 ? markup`` : markup`<ul class="numbers">${drawn}</ul>`;
}

function whereOf({ hosts }: ResultGroup, all: number): string {
  if (hosts.length > 1 && hosts.length === all) return `all ${all}`;
  const names = foldHosts(hosts).join(' ');
  return hosts.length > 1 ? `${hosts.length}: ${names}` : names;
}
