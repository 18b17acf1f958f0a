import type { Finding, Outcome } from '../result/result.schema.js';
import { count } from './figures.js';
import { type Html, html } from './html-markup.js';
import { findingNotes, labelOf, type Standing } from './standing.js';

/** What a browser still scrolls well; the rest is in the json report. */
const maxOutput = 20_000;
const maxFindings = 50;

export function badge(outcome: Outcome, standing: Standing = {}): Html {
  const label = labelOf(outcome, standing);
  return html`<span class="badge ${label}">${label}</span>`;
}

export function findingList(findings: readonly Finding[]): Html {
  const items = findings.slice(0, maxFindings).map((finding) => {
    const { severity, subject, detail, remedy } = finding;
    return html`<li><b class="severity ${severity}">${severity}</b> <bdi>${subject}: ${detail}${findingNotes(finding)}</bdi>${remedy === undefined ? '' : html`<div class="do">${remedy}</div>`}</li>\n`;
  });
  const more = findings.length - maxFindings;
  if (items.length === 0) return html``;
  return html`<ul>
${items}${more > 0 ? html`<li>and ${count(more, 'more finding')}</li>\n` : ''}</ul>
`;
}

/** What was printed, its end when it is long. */
export function output(text: string): Html {
  const body = text.replace(/\n+$/, '');
  const left = body.length - maxOutput;
  const shown = left > 0 ? body.slice(-maxOutput).replace(/^[\udc00-\udfff]/, '') : body;
  return html`${left > 0 ? html`<p><small>${count(left, 'character')} before this left out</small></p>\n` : ''}<pre tabindex="0">${shown}</pre>
`;
}
