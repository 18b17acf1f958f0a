import type { Finding, HostResult, Outcome, RunResult, StepResult } from '../result/result.schema.js';
import {
  count,
  formatChanges,
  formatExit,
  formatMetric,
  formatSeconds,
  formatTime,
  formatTotals,
  hostTotals,
} from './figures.js';
import {
  attentionOrder,
  explanationOf,
  groupResults,
  hostTrouble,
  isCommand,
  needsAttention,
  outputOf,
  ownSteps,
  type ResultGroup,
  titleOfStep,
} from './groups.js';
import { foldHosts } from './hosts.js';
import { type Html, html as markup } from './html-markup.js';
import { style } from './html-style.js';
import { remedyFor } from './remedies.js';
import type { Report } from './report.js';
import { findingNotes, labelOf, notesOf, type Standing, standingOf, withExcuse, withNotes } from './standing.js';

export const html: Report = {
  name: 'html',
  summary: 'One page for a browser or a printer, without scripts and without anything to fetch',
  machine: true,
  render: (result) => `${page(result)}\n`,
};

/** What a browser still scrolls well; the rest is in the json report. */
const maxOutput = 20_000;
const maxFindings = 50;

function page(result: RunResult): Html {
  const { run, exit } = result;
  const groups = groupResults(result);
  const worst = attentionOrder.flatMap((outcome) =>
    groups.filter((group) => group.outcome === outcome && needsAttention(group)),
  );
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'">
<title>${run.runbook}: ${formatExit(exit)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${run.runbook}${run.mode === 'dry-run' ? markup` <small>dry run, nothing was changed</small>` : ''}</h1>
<p class="verdict ${exit.code === 0 ? 'good' : 'bad'}">${formatExit(exit)}</p>
${facts(result)}
${result.warnings.map((warning) => markup`<p class="note">${warning}</p>\n`)}</header>
<main>
${
  worst.length > 0
    ? markup`<section>
<h2>Needs attention</h2>
${worst.map((group) => details(group, result.hosts.length))}</section>
`
    : ''
}${groups.length > 0 ? stepTable(groups, result.hosts.length) : ''}${
  result.hosts.length > 0
    ? markup`<section>
<h2>Hosts</h2>
${result.hosts.map(hostDetails)}</section>
`
    : ''
}</main>
<footer>opsctl ${run.version}, run ${run.id}</footer>
</body>
</html>`;
}

function facts(result: RunResult): Html {
  const { run, totals, hosts } = result;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Hosts', hosts.length === 0 ? 'none' : `${hosts.length}: ${formatTotals(hostTotals(result))}`],
    ['Steps', formatTotals(totals)],
    ['Since the last run', formatChanges(totals) || undefined],
    ['Started', formatTime(run.startedAt)],
    ['Took', formatSeconds(run.duration)],
    ['By', run.actor],
    ['Runbook', run.file],
    ['Stopped early', run.stopped],
  ];
  const known = rows.filter(([, value]) => value !== undefined);
  return markup`<dl>${known.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value ?? ''}</dd></div>`)}</dl>`;
}

function details(group: ResultGroup, hosts: number): Html {
  const remedy = remedyFor(group.reason);
  const ownRemedies = group.findings.some((finding) => finding.remedy !== undefined);
  return markup`<article class="${group.outcome}">
<h3>${badge(group.outcome)} ${titleOfStep(group)} <small>${group.uses}</small></h3>
<p class="where">${hostList(group, hosts)}</p>
<p>${group.summary} <small>${group.reason}</small></p>
${notesOf(group).map((note) => markup`<p class="note">${note}</p>\n`)}${findingList(group.findings)}${remedy && !ownRemedies ? markup`<p class="do">${remedy}</p>\n` : ''}${excerpt(group)}</article>
`;
}

function findingList(findings: readonly Finding[]): Html {
  const items = findings.slice(0, maxFindings).map((finding) => {
    const { severity, subject, detail, remedy } = finding;
    return markup`<li><b>${severity}</b> ${subject}: ${detail}${findingNotes(finding)}${remedy === undefined ? '' : markup`<div class="do">${remedy}</div>`}</li>\n`;
  });
  const more = findings.length - maxFindings;
  if (items.length === 0) return markup``;
  return markup`<ul>
${items}${more > 0 ? markup`<li>and ${count(more, 'more finding')}</li>\n` : ''}</ul>
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
    ) => markup`<tr><td>${badge(group.outcome, group)}</td><th scope="row">${titleOfStep(group)}</th><td class="where">${hostList(group, hosts)}</td><td>${withNotes(withExcuse(group.summary, group), group)}</td></tr>
`,
  );
  return markup`<section>
<h2>Steps</h2>
<table class="steps">
<thead><tr><th scope="col">Result</th><th scope="col">Step</th><th scope="col">Hosts</th><th scope="col">What</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</section>
`;
}

function hostDetails(host: HostResult): Html {
  const trouble = hostTrouble(host);
  const steps = ownSteps(host);
  return markup`<details>
<summary>${badge(host.outcome)} ${host.name} <small>${host.address}${steps.length > 0 ? `, ${count(steps.length, 'step')}` : ''}</small></summary>
${trouble ? markup`<p>${withNotes(trouble.summary, standingOf(host))} <small>${trouble.reason}</small></p>\n` : ''}${steps.map(stepDetails)}</details>
`;
}

function stepDetails(step: StepResult): Html {
  const { stdout } = outputOf(step);
  const measured = step.metrics.map(({ name, value, unit }) => `${name} ${formatMetric(value, unit)}`).join(', ');
  return markup`<div class="step">
<p>${badge(step.outcome, standingOf(step))} <b>${titleOfStep(step)}</b> ${withNotes(withExcuse(step.summary, step), standingOf(step))} <small>${step.uses}, ${formatSeconds(step.duration)}${step.attempts > 1 ? `, ${step.attempts} attempts` : ''}</small></p>
${measured === '' ? '' : markup`<p class="measured">${measured}</p>\n`}${isCommand(step.uses) && stdout.trim() !== '' ? output(stdout) : ''}</div>
`;
}

function output(text: string): Html {
  const body = text.replace(/\n+$/, '');
  const left = body.length - maxOutput;
  const shown = left > 0 ? body.slice(-maxOutput).replace(/^[\udc00-\udfff]/, '') : body;
  return markup`${left > 0 ? markup`<p><small>${count(left, 'character')} before this left out</small></p>\n` : ''}<pre>${shown}</pre>
`;
}

function badge(outcome: Outcome, standing: Standing = {}): Html {
  const label = labelOf(outcome, standing);
  return markup`<span class="badge ${label}">${label}</span>`;
}

function hostList({ hosts }: ResultGroup, all: number): string {
  if (hosts.length > 1 && hosts.length === all) return `all ${all}`;
  const names = foldHosts(hosts).join(' ');
  return hosts.length > 1 ? `${hosts.length}: ${names}` : names;
}
