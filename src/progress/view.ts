import { Chalk, type ChalkInstance } from 'chalk';
import { formatSeconds, formatTotals } from '../reports/figures.js';
import { clip } from '../reports/layout.js';
import type { Terminal } from '../terminal.js';
import type { News, ProgressState, RunningHost } from './state.js';
import type { DetachedWriter } from './writer.js';

/** Something that draws the state on a screen. */
export interface View {
  /** `news` is shown once and stays. */
  draw(state: ProgressState, news: readonly News[], elapsed: number): void;
  /** Takes the moving part off the screen; `news` stays. */
  close(news: readonly News[]): void;
}

export type OpenView = (terminal: Terminal, writer: DetachedWriter) => View;

export function chalkFor(terminal: Terminal): ChalkInstance {
  return new Chalk({ level: terminal.colorErr ? 1 : 0 });
}

/** `12 of 100 hosts  9 ok, 2 failed  14.2 s` */
export function statusLine(state: ProgressState, elapsed: number, width: number): string {
  const totals = state.totals.size > 0 ? `  ${formatTotals(Object.fromEntries(state.totals))}` : '';
  const mode = state.dryRun ? 'dry run  ' : '';
  return clip(`${mode}${state.done} of ${state.hosts} hosts${totals}  ${formatSeconds(Math.floor(elapsed))}`, width);
}

/** `web1  3/5  Disk space` */
export function hostLine(host: RunningHost, nameWidth: number, now: number, width: number): string {
  const steps = host.steps > 0 ? `${Math.min(host.finished, host.steps)}/${host.steps}` : `${host.finished}`;
  const seconds = (now - host.since) / 1000;
  const waiting = seconds >= 3 ? `  ${formatSeconds(Math.floor(seconds))}` : '';
  return clip(`  ${host.name.padEnd(nameWidth)}  ${steps.padStart(5)}  ${host.doing}${waiting}`, width);
}

export function newsLine({ outcome, text }: News, chalk: ChalkInstance, width: number): string {
  const [head, rest] = [outcome.padEnd(11), clip(text, width - 12)];
  return `${newsColor(outcome, chalk)(head)} ${rest}`;
}

function newsColor(outcome: News['outcome'], chalk: ChalkInstance): (text: string) => string {
  if (outcome === 'warning' || outcome === 'soft' || outcome === 'stopping') return chalk.yellow;
  if (outcome === 'waived') return chalk.dim;
  return outcome === 'unknown' ? chalk.magenta : chalk.red;
}
