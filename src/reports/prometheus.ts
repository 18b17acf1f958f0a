import {
  changes,
  type HostResult,
  type Metric,
  type Outcome,
  outcomes,
  type RunResult,
} from '../result/result.schema.js';
import { escapeLine, escapePrometheus } from './escape.js';
import { hostTotals } from './figures.js';
import { hostTrouble, ownSteps } from './groups.js';
import { clip } from './layout.js';
import type { Report } from './report.js';

export const prometheus: Report = {
  name: 'prometheus',
  summary: 'Gauges for the textfile collector of the Prometheus node exporter',
  machine: true,
  // The exporter has an account of its own.
  fileMode: 0o644,
  render: renderPrometheus,
};

/** Series are what Prometheus pays for: what hosts name themselves must not make any number of them. */
const maxSeries = 10_000;
/** Longer values are cut. */
const maxLabel = 120;

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

function renderPrometheus(result: RunResult): string {
  const limited = limit([...stepFamilies(result), ...measuredFamilies(result)]);
  const dropped = {
    name: 'opsctl_report_dropped_series',
    help: `Series left out of this file: more than ${maxSeries}, or labels that differ from no other.`,
    samples: [{ labels: runLabels(result), value: limited.dropped }],
  };
  const all = [...runFamilies(result), ...limited.families, dropped];
  return all
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('');
}

function runFamilies(result: RunResult): readonly Family[] {
  const { run, exit, totals } = result;
  const labels = runLabels(result);
  const one = (name: string, help: string, value: number): Family => ({ name, help, samples: [{ labels, value }] });
  return [
    {
      name: 'opsctl_run_info',
      help: 'The last run of the runbook; always 1.',
      samples: [{ labels: { ...labels, mode: run.mode, version: run.version }, value: 1 }],
    },
    one('opsctl_run_start_time_seconds', 'When the run began, in Unix time.', unixTime(run.startedAt)),
    one('opsctl_run_end_time_seconds', 'When the run ended, in Unix time.', unixTime(run.finishedAt)),
    one('opsctl_run_duration_seconds', 'How long the run took.', run.duration),
    one('opsctl_run_exit_code', 'Exit code of the run.', exit.code),
    { name: 'opsctl_hosts', help: 'Hosts by their worst outcome.', samples: byOutcome(hostTotals(result), labels) },
    {
      name: 'opsctl_steps',
      help: 'Step results by outcome; waived and soft ones do not count.',
      samples: [
        ...byOutcome(totals, labels),
        ...(['waived', 'soft'] as const).flatMap((outcome) => some(totals[outcome], { ...labels, outcome })),
      ],
    },
    {
      name: 'opsctl_changes',
      help: 'Step results that are new, still bad or fixed since the last run.',
      samples: changes.flatMap((change) => some(totals[change], { ...labels, change })),
    },
  ];
}

function byOutcome(totals: Readonly<Record<Outcome, number>>, labels: Labels): readonly Sample[] {
  return outcomes.map((outcome) => ({ labels: { ...labels, outcome }, value: totals[outcome] }));
}

function some(value: number | undefined, labels: Labels): readonly Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}

function stepFamilies(result: RunResult): readonly Family[] {
  const hosts = result.hosts.map((host) => ({ host, labels: { ...runLabels(result), host: host.name } }));
  return [
    {
      name: 'opsctl_host_outcome',
      help: 'Worst outcome of a host; 1 for the one that it has.',
      samples: hosts.map(({ host, labels }) => ({ labels: { ...labels, outcome: host.outcome }, value: 1 })),
    },
    {
      name: 'opsctl_step_outcome',
      help: 'Outcome of a step on a host; 1 for the one that it has.',
      samples: hosts.flatMap(({ host, labels }) => [
        ...(hostTrouble(host) ? [{ labels: { ...labels, ...wholeLabels(host) }, value: 1 }] : []),
        ...ownSteps(host).map(({ step, uses, item, outcome, rescued, waived, soft }) => ({
          labels: {
            ...{ ...labels, step, kind: uses, item: item ?? '', outcome },
            ...{ rescued: rescued ? 'true' : '', waived: waived ? 'true' : '', soft: soft ? 'true' : '' },
          },
          value: 1,
        })),
      ]),
    },
  ];
}

function wholeLabels(host: HostResult): Labels {
  const { transport, outcome, waived } = host;
  const step = hostTrouble(host)?.step ?? '';
  return { step, kind: transport, outcome, waived: waived ? 'true' : '' };
}

const units: Readonly<Record<Metric['unit'], { readonly suffix: string; readonly help: string }>> = {
  count: { suffix: '', help: 'Numbers without a unit that steps measured.' },
  bytes: { suffix: '_bytes', help: 'Sizes that steps measured.' },
  seconds: { suffix: '_seconds', help: 'Times that steps measured.' },
  ratio: { suffix: '_ratio', help: 'Shares that steps measured, 0 to 1.' },
  celsius: { suffix: '_celsius', help: 'Temperatures that steps measured.' },
};

/** One family a unit: a name that a step or a host chose is a label, never the name of a family. */
function measuredFamilies(result: RunResult): readonly Family[] {
  const all = result.hosts.flatMap((host) =>
    host.steps.flatMap(({ step, uses, item, metrics }) =>
      metrics.map(({ name, value, unit }) => {
        const { metric, subject } = nameParts(name);
        const labels = { host: host.name, step, kind: uses, item: item ?? '', metric, subject };
        return { unit, labels: { ...runLabels(result), ...labels }, value };
      }),
    ),
  );
  return (Object.keys(units) as Metric['unit'][]).map((unit) => ({
    name: `opsctl_measured${units[unit].suffix}`,
    help: units[unit].help,
    samples: all.filter((sample) => sample.unit === unit && Number.isFinite(sample.value)),
  }));
}

/** `used{/var}` is the metric `used` of the subject `/var`. */
function nameParts(name: string): { readonly metric: string; readonly subject: string } {
  const match = /^([^{]+)\{(.*)\}$/s.exec(name);
  return { metric: match?.[1] ?? name, subject: match?.[2] ?? '' };
}

/** The exporter refuses a whole file in which two series have the same labels. */
function limit(families: readonly Family[]): { readonly families: readonly Family[]; readonly dropped: number } {
  let kept = 0;
  let dropped = 0;
  const limited = families.map((family) => {
    const seen = new Set<string>();
    const samples = family.samples.filter(({ labels }) => {
      const key = labelText(labels);
      if (kept >= maxSeries || seen.has(key)) {
        dropped += 1;
        return false;
      }
      seen.add(key);
      kept += 1;
      return true;
    });
    return { ...family, samples };
  });
  return { families: limited, dropped };
}

function runLabels({ run }: RunResult): Labels {
  return { runbook: run.runbook };
}

function familyText({ name, help, samples }: Family): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`;
}

/** An empty label is the same as none. */
function labelText(labels: Labels): string {
  const parts = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${escapePrometheus(clip(escapeLine(value), maxLabel))}"`);
  return `{${parts.join(',')}}`;
}

function unixTime(iso: string): number {
  const time = Date.parse(iso);
  return Number.isFinite(time) ? time / 1000 : 0;
}
