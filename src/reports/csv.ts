import type { HostResult, RunResult, StepResult } from '../result/result.schema.js';
import { escapeCsv, guardLog } from './escape.js';
import { hostTrouble, ownSteps } from './groups.js';
import type { Report } from './report.js';
import { findingNotes, type Standing, standingOf, waiverText } from './standing.js';

export const csv: Report = {
  name: 'csv',
  summary: 'For spreadsheets: a row a step and host, as in RFC 4180; formulas are text',
  machine: true,
  render: renderCsv,
};

const columns = [
  'run',
  'runbook',
  'mode',
  'host',
  'address',
  'step',
  'name',
  'item',
  'uses',
  'outcome',
  'rescued',
  'reason',
  'summary',
  'findings',
  'metrics',
  'severity',
  'controls',
  'started',
  'seconds',
  'attempts',
  'waived',
  'change',
  'since',
  'soft',
] as const;

type Row = Readonly<Partial<Record<(typeof columns)[number], string>>>;

function renderCsv(result: RunResult): string {
  const { run } = result;
  const rows = result.hosts.flatMap((host) =>
    rowsOf(host).map((row) =>
      fields({ run: run.id, runbook: run.runbook, mode: run.mode, host: host.name, address: host.address, ...row }),
    ),
  );
  return guardLog([columns.join(','), ...rows, ''].join('\r\n'));
}

function rowsOf(host: HostResult): readonly Row[] {
  const trouble = hostTrouble(host);
  const whole: Row = { uses: host.transport, outcome: host.outcome, ...standingCells(standingOf(host)) };
  return [...(trouble ? [{ ...whole, ...trouble }] : []), ...ownSteps(host).map(stepRow)];
}

function stepRow(step: StepResult): Row {
  const { item, severity } = step;
  return {
    step: step.step,
    name: step.name,
    ...(item !== undefined && { item }),
    uses: step.uses,
    outcome: step.outcome,
    rescued: step.rescued === true ? (step.covered === true ? 'covered' : 'yes') : '',
    reason: step.reason,
    summary: step.summary,
    findings: step.findings
      .map((finding) => `${finding.severity}: ${finding.subject}: ${finding.detail}${findingNotes(finding)}`)
      .join('; '),
    metrics: step.metrics.map(({ name, value, unit }) => `${name}=${value} ${unit}`).join('; '),
    ...(severity !== undefined && { severity }),
    controls: (step.controls ?? []).join('; '),
    started: step.startedAt,
    seconds: step.duration.toFixed(3),
    attempts: String(step.attempts),
    ...standingCells(standingOf(step)),
  };
}

function standingCells({ waived, change, since, soft }: Standing): Row {
  return {
    ...(waived && { waived: waiverText(waived) }),
    ...(change && { change }),
    ...(since !== undefined && { since }),
    ...(soft && { soft: `${soft.run} of ${soft.of}` }),
  };
}

function fields(row: Row): string {
  return columns.map((column) => escapeCsv(row[column] ?? '')).join(',');
}
