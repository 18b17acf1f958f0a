import type { HostResult, StepResult } from '../result/result.schema.js';
import { count, formatSeconds } from './figures.js';
import { explanationOf, hostTrouble, isCommand, needsAttention, outputOf, ownSteps, titleOfStep } from './groups.js';
import { limitChart, valueText } from './html-chart.js';
import { marksOf } from './html-filter.js';
import { lineChart } from './html-line.js';
import { type Html, html } from './html-markup.js';
import { badge, findingList, output } from './html-pieces.js';
import { labelOf, standingOf, withExcuse, withNotes } from './standing.js';

/** More charts of one step than this are too many to compare; the other numbers are written. */
const maxCharts = 12;

/** Every host with all its steps, to unfold. */
export function hostList(hosts: readonly HostResult[]): Html {
  if (hosts.length === 0) return html``;
  return html`<section>
<h2>Hosts</h2>
${hosts.map(hostDetails)}</section>
`;
}

function hostDetails(host: HostResult): Html {
  const trouble = hostTrouble(host);
  const standing = standingOf(host);
  const steps = ownSteps(host);
  const whole = trouble
    ? html`<div class="step" data-outcome="${labelOf(host.outcome, standing)}" data-step="${trouble.name}" data-marks="${marksOf(standing)}"><p>${badge(host.outcome, standing)} <b>${trouble.name}</b> <bdi>${withNotes(trouble.summary, standing)}</bdi> <small>${trouble.reason}</small></p></div>
`
    : '';
  return html`<details data-host="${host.name}">
<summary>${badge(host.outcome)} <bdi>${host.name}</bdi> <small>${host.address}${steps.length > 0 ? `, ${count(steps.length, 'step')}` : ''}</small></summary>
${whole}${steps.map(stepDetails)}</details>
`;
}

function stepDetails(step: StepResult): Html {
  const standing = standingOf(step);
  const { stdout } = outputOf(step);
  // What needs attention has its findings above, but only those of one host of several.
  const said = needsAttention(step) && !isCommand(step.uses) ? explanationOf(step)?.text : undefined;
  const printed = isCommand(step.uses) && stdout.trim() !== '' ? stdout : said;
  const facts = [step.uses, formatSeconds(step.duration), ...(step.attempts > 1 ? [`${step.attempts} attempts`] : [])];
  return html`<div class="step" data-outcome="${labelOf(step.outcome, standing)}" data-step="${titleOfStep(step)}" data-marks="${marksOf({ ...standing, findings: step.findings })}">
<p>${badge(step.outcome, standing)} <b><bdi>${titleOfStep(step)}</bdi></b> <bdi>${withNotes(withExcuse(step.summary, step), standing)}</bdi> <small>${facts.join(', ')}</small></p>
${findingList(step.findings)}${numbers(step)}${printed === undefined ? '' : output(printed)}</div>
`;
}

function numbers({ metrics }: StepResult): Html {
  if (metrics.length === 0) return html``;
  const items = metrics.map((metric, index) => {
    const chart = index < maxCharts ? (lineChart(metric) ?? limitChart([metric])) : undefined;
    return html`<li>${chart ?? ''}<bdi>${valueText(metric, [metric.value])}</bdi></li>`;
  });
  return html`<ul class="numbers">${items}</ul>
`;
}
