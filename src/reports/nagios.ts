import type { HostResult, Metric, RunResult } from '../result/result.schema.js';
import { escapePlugin, guardLog } from './escape.js';
import { count, formatChanges, formatExit } from './figures.js';
import { attentionOrder, groupResults, hostTrouble, needsAttention, type ResultGroup, titleOfStep } from './groups.js';
import { foldHosts } from './hosts.js';
import { clip } from './layout.js';
import type { Report } from './report.js';
import { labelOf, withNotes } from './standing.js';

export const nagios: Report = {
  name: 'nagios',
  summary: 'Monitoring plugin output for Nagios, Icinga and NRPE; the exit code becomes 0 to 3',
  machine: true,
  render: renderNagios,
};

const states = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

/**
 * The exit code of a run as a monitoring plugin gives it: what is known to be bad outranks what is not
 * known, because somebody must look now.
 */
export function nagiosExit(result: RunResult): 0 | 1 | 2 | 3 {
  const reasons = result.exit.reasons.map(({ reason }) => reason);
  if (reasons.includes('failed') || reasons.includes('refused')) return 2;
  if (reasons.some((reason) => reason !== 'warning')) return 3;
  if (
    reasons.length > 0 ||
    result.hosts.some(({ steps }) => steps.some((step) => step.outcome === 'warning' && needsAttention(step)))
  )
    return 1;
  return result.exit.code === 0 ? 0 : 3;
}

const maxText = 200;
/** Daemons cut at 4 or 8 kB: the numbers get their share, the lines below what is left. */
const maxPerfBytes = 2_600;
const maxBytes = 4_000;

function renderNagios(result: RunResult): string {
  const groups = groupResults(result);
  const worst = attentionOrder.flatMap((outcome) =>
    groups.filter((group) => group.outcome === outcome && needsAttention(group)),
  );
  const head = `OPSCTL ${states[nagiosExit(result)]} - `;
  const text = clip(escapePlugin(headline(result, worst)), maxText - head.length);
  const { perf, left } = perfdata(result);
  const changed = formatChanges(result.totals);
  const first = `${head}${text}${perf === '' ? '' : `|${perf}`}`;
  const lines = [
    ...(worst.length > 1 ? worst.map(groupLine) : []),
    ...groups.filter(({ waived, soft }) => waived ?? soft).map(groupLine),
    ...(changed === '' ? [] : [`since the last run: ${changed}`]),
    ...(left > 0 ? [`${count(left, 'number')} left out`] : []),
    ...(result.exit.code === 0 ? [] : [escapePlugin(formatExit(result.exit))]),
  ];
  return `${guardLog([first, ...fitting(lines, maxBytes - Buffer.byteLength(first))].join('\n'))}\n`;
}

function headline(result: RunResult, worst: readonly ResultGroup[]): string {
  const { run, hosts } = result;
  const [first, ...others] = worst;
  if (!first)
    return result.exit.code === 0
      ? `${run.runbook}: ${count(hosts.length, 'host')} ok`
      : `${run.runbook}: ${formatExit(result.exit)}`;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return `${run.runbook}: ${where(first, hosts.length)}${titleOfStep(first)}: ${withNotes(first.summary, first)}${more}`;
}

function groupLine(group: ResultGroup): string {
  const { outcome, reason, summary } = group;
  const text = withNotes(`${summary} (${reason})`, group);
  return escapePlugin(`${labelOf(outcome, group)} ${where(group, 2)}${titleOfStep(group)}: ${text}`);
}

function where({ hosts }: ResultGroup, all: number): string {
  return all === 1 ? '' : `${clip(foldHosts(hosts).join(' '), 80)} `;
}

/** As many lines as fit, with a line that says how many do not. */
function fitting(lines: readonly string[], room: number): readonly string[] {
  const note = 30;
  let used = 0;
  for (const [index, line] of lines.entries()) {
    used += Buffer.byteLength(line) + 1;
    if (used > room - note) return [...lines.slice(0, index), `and ${count(lines.length - index, 'more line')}`];
  }
  return lines;
}

function perfdata(result: RunResult): { readonly perf: string; readonly left: number } {
  const several = result.hosts.length > 1;
  const all = result.hosts.flatMap((host) => {
    const labels = stepLabels(host);
    return host.steps.flatMap((step, index) =>
      step.metrics.map((metric) => ({
        bad: needsAttention(step),
        label: safeLabel(`${several ? `${host.name} ` : ''}${labels[index]} ${metric.name}`),
        metric,
      })),
    );
  });
  const healthy = result.hosts.filter(
    (host) => (!hostTrouble(host) || host.waived) && !host.steps.some(needsAttention),
  ).length;
  const own = `hosts_ok=${healthy};;;0;${result.hosts.length}`;
  let perf = own;
  let left = 0;
  const seen = new Set<string>();
  // The numbers of what is wrong come first, so that a cut takes the others.
  for (const { label, metric } of [...all.filter(({ bad }) => bad), ...all.filter(({ bad }) => !bad)]) {
    const text = perfdatum(label, metric);
    // A daemon keeps one series a label: a second number would be mixed into it.
    if (seen.has(label) || Buffer.byteLength(perf) + Buffer.byteLength(text) + 1 > maxPerfBytes) left += 1;
    else {
      perf += ` ${text}`;
      seen.add(label);
    }
  }
  return { perf, left };
}

/** The id of a step, or its kind where the author gave none; with its place where that is not enough. */
function stepLabels({ steps }: HostResult): readonly string[] {
  const short = steps.map(
    ({ step, uses, item }) => `${/^\d/.test(step) ? uses : step}${item === undefined ? '' : `[${item}]`}`,
  );
  return short.map((label, index) =>
    short.indexOf(label) === short.lastIndexOf(label) ? label : `${label} ${steps[index]?.step ?? index}`,
  );
}

/** `'label'=value[UOM];[warn];[crit];[min];[max]`, the label escaped. */
function perfdatum(label: string, { value, unit, warning, critical, min, max }: Metric): string {
  const scale = unit === 'ratio' ? 100 : 1;
  const number = (input: number | undefined) =>
    input === undefined || !Number.isFinite(input) ? '' : plain(rounded(input * scale, scale));
  const range = (input: string | undefined) => (input === undefined ? '' : scaleRange(input, scale));
  const shown = Number.isFinite(value) ? `${number(value)}${symbols[unit]}` : 'U';
  const fields = [shown, range(warning), range(critical), number(min), number(max)].join(';');
  return `'${label}'=${fields.replace(/;+$/, '')}`;
}

const symbols: Readonly<Record<Metric['unit'], string>> = {
  bytes: 'B',
  seconds: 's',
  ratio: '%',
  count: '',
  celsius: '',
};

// A label has no equals sign, pipe or quote: some readers know no doubled quote, and drop all numbers after it.
function safeLabel(label: string): string {
  return escapePlugin(label).replace(/[=']/g, '_');
}

function scaleRange(range: string, factor: number): string {
  return isRange.test(range) ? range.replace(numbers, (number) => plain(rounded(Number(number) * factor, factor))) : '';
}

const numbers = /-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/gi;
const isRange = new RegExp(`^@?(?:(?:~|${numbers.source})?:)?(?:${numbers.source})?$`, 'i');

/** Four decimals of a per cent are more than anybody measures. */
function rounded(value: number, scale: number): number {
  return scale === 1 ? value : Number(value.toFixed(4));
}

/** Decimal notation, never an exponent. */
function plain(value: number): string {
  const exact = Number(value.toPrecision(12));
  const text = String(exact);
  if (!text.includes('e')) return text;
  return Math.abs(exact) >= 1
    ? BigInt(Math.round(exact)).toString()
    : exact.toFixed(20).replace(/0+$/, '').replace(/\.$/, '');
}
