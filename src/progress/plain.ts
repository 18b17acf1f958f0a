import type { RunEvent } from '../execute/events.js';
import { escapeLine, guardLog } from '../reports/escape.js';
import { count, formatSeconds, formatTime, formatTotals } from '../reports/figures.js';
import type { Progress, ProgressOptions } from './progress.js';
import { applyEvent, startState, stopNews } from './state.js';
import { detachedWriter } from './writer.js';

/** For logs: a line at the start, at every failure, at the end of every host and at the end. */
export function plainProgress({ terminal, now = Date.now }: Omit<ProgressOptions, 'kind'>): Progress {
  const state = startState();
  const planned = new Map<string, number>();
  const writer = detachedWriter(terminal);
  const line = (at: string, text: string) => writer.write(`${guardLog(`${formatTime(escapeLine(at))} ${text}`)}\n`);

  function onEvent(event: RunEvent): void {
    applyEvent(state, event, planned);
    for (const { at, outcome, text } of state.news) line(at, `${outcome.padEnd(11)} ${text}`);
    state.news = [];
    if (event.type === 'run-start')
      line(
        event.at,
        `start       ${state.runbook}${state.dryRun ? ' (dry run)' : ''} on ${count(state.hosts, 'host')}, run ${state.runId}`,
      );
    if (event.type === 'host-end') line(event.at, `done        ${doneLine(event)}  (${state.done} of ${state.hosts})`);
    if (event.type === 'run-end') {
      const why = event.stopped === undefined ? '' : `, stopped early: ${escapeLine(event.stopped)}`;
      const totals = formatTotals(Object.fromEntries(state.totals));
      line(event.at, `end         ${count(state.hosts, 'host')}: ${totals} in ${formatSeconds(event.duration)}${why}`);
    }
  }

  function stopping(reason: string): void {
    const { at, outcome, text } = stopNews(reason, now());
    line(at, `${outcome.padEnd(11)} ${text}`);
  }

  return { onEvent, pause: () => writer.drain(), resume: () => {}, stopping, finish: () => writer.drain() };
}

function doneLine({ host, outcome }: RunEvent & { readonly type: 'host-end' }): string {
  return `${escapeLine(host)}  ${outcome}`;
}
