import { type Outcome, outcomes, type RunResult, type StepResult } from '../../src/result/result.schema.js';

/** Results as a run would give them, for reports and everything else that reads one. */

export const startedAt = '2026-03-02T04:05:06.000Z';

export function stepResult(step: Partial<StepResult> = {}): StepResult {
  const outcome = step.outcome ?? 'ok';
  return {
    step: 'disk',
    name: 'Disk space',
    uses: 'check.disk',
    outcome,
    reason: outcome === 'ok' ? 'ok' : 'above-critical',
    summary: '/ is 41% full',
    metrics: [],
    findings: [],
    startedAt,
    duration: 0.25,
    attempts: 1,
    ...step,
  };
}

export interface HostSample {
  readonly name: string;
  readonly address?: string;
  readonly steps?: readonly StepResult[];
  /** Why the host as a whole could not be worked on. */
  readonly trouble?: { readonly outcome: Outcome; readonly reason: string; readonly summary: string };
}

/** A whole result: totals, host outcomes and the exit code follow from the steps. */
export function runResult(hosts: readonly HostSample[], run: Partial<RunResult['run']> = {}): RunResult {
  const list: RunResult['hosts'] = hosts.map(({ name, address, steps = [], trouble }, index) => ({
    name,
    address: address ?? `10.0.0.${index + 1}`,
    transport: 'ssh',
    outcome: trouble?.outcome ?? worst(steps.map(({ outcome }) => outcome)),
    ...(trouble && { reason: trouble.reason, summary: trouble.summary }),
    steps: [...steps],
  }));
  const totals = { ok: 0, changed: 0, warning: 0, failed: 0, unknown: 0, unreachable: 0, refused: 0, skipped: 0 };
  for (const { steps } of list) for (const { outcome } of steps) totals[outcome] += 1;
  return {
    schema: 'opsctl.result/1',
    run: {
      id: '20260302T040506Z-7f3a9c',
      runbook: 'Host health',
      file: 'runbooks/host-health.yaml',
      sha256: 'ab'.repeat(32),
      mode: 'run',
      startedAt,
      finishedAt: '2026-03-02T04:05:18.400Z',
      duration: 12.4,
      actor: 'ops@control',
      version: '0.1.0',
      ...run,
    },
    exit: exitOf(list),
    totals,
    hosts: list,
    warnings: [],
  };
}

/** Three hosts, among them one that fails, one that warns and one with a changed file. */
export function threeHosts(): RunResult {
  return runResult([
    { name: 'web1', address: '10.0.0.11', steps: [disk(0.41), load(0.2), stepResult(uptime('up 12 days'))] },
    { name: 'web2', address: '10.0.0.12', steps: [disk(0.97), load(3.2), stepResult(uptime('up 3 days'))] },
    {
      name: 'db1',
      address: '10.0.0.21',
      steps: [disk(0.63), load(0.4), stepResult(uptime('up 12 days'))],
    },
  ]);
}

/** A later run: what is accepted, no longer accepted, new, still there, fixed, not yet to be counted. */
export function standings(): RunResult {
  const since = '2026-02-20T04:05:06.000Z';
  const waived = { owner: 'anna', reason: 'new disks arrive', ticket: 'OPS-7', expires: '2026-03-31' };
  const bad = (step: string, changes: Partial<StepResult>) =>
    stepResult({ step, name: step, outcome: 'failed', summary: `${step} is bad`, ...changes });
  const found = (id: string, changes: object) => ({
    ...{
      id,
      severity: 'medium' as const,
      subject: `/${id}`,
      detail: 'is full',
      fingerprint: `web2/audit/${id}//${id}`,
    },
    ...changes,
  });
  const whole = { outcome: 'unreachable', reason: 'connect-timeout', summary: 'no answer' } as const;
  return {
    ...runResult([
      {
        name: 'web1',
        steps: [
          bad('accepted', { waived, change: 'still', since }),
          bad('expired', { waiverExpired: { ...waived, expires: '2026-03-01' }, change: 'still', since }),
          bad('shaky', { soft: { run: 1, of: 3 }, change: 'new', since: startedAt }),
          stepResult({ step: 'mended', name: 'mended', change: 'fixed', since: startedAt }),
        ],
      },
      {
        name: 'web2',
        steps: [
          bad('fresh', { change: 'new', since: startedAt }),
          bad('audit', {
            ...{ change: 'still', since, gone: [{ id: 'c', subject: '/c', since }] },
            findings: [found('a', { waived, change: 'still', since }), found('b', { change: 'new', since: startedAt })],
          }),
        ],
      },
      { name: 'web3', trouble: whole },
    ]),
    totals: {
      ...{ ok: 1, changed: 0, warning: 0, failed: 3, unknown: 0, unreachable: 0, refused: 0, skipped: 0 },
      ...{ waived: 1, soft: 1, new: 2, still: 3, fixed: 1 },
    },
    exit: {
      code: 1,
      reasons: [
        { code: 1, reason: 'failed', hosts: 2 },
        { code: 4, reason: 'unreachable', hosts: 1 },
      ],
    },
  };
}

/** 100 hosts: most are fine, some fail alike, one differs, two cannot be reached, one has a wrong key. */
export function hundredHosts(): RunResult {
  const hosts = Array.from({ length: 100 }, (_, index): HostSample => {
    const number = index + 1;
    const name = number <= 90 ? `web${String(number).padStart(2, '0')}.example.com` : `db${number - 90}`;
    const address = `10.0.1.${number}`;
    if (number === 17 || number === 18)
      return {
        name,
        address,
        trouble: {
          outcome: 'unreachable',
          reason: 'connect-timeout',
          summary: `no answer from ${address} port 22 within 5 s`,
        },
      };
    if (number === 42)
      return {
        name,
        address,
        trouble: {
          outcome: 'refused',
          reason: 'host-key-mismatch',
          summary: 'the ssh-ed25519 key is not the one in known_hosts:7',
        },
      };
    const full = number >= 30 && number <= 33 ? 0.97 : 0.2 + (number % 40) / 100;
    return { name, address, steps: [disk(full), load(0.1 + (number % 7) / 10), sshd(number), ntp(number)] };
  });
  return runResult(hosts);
}

export function disk(used: number): StepResult {
  const outcome: Outcome = used > 0.9 ? 'failed' : used > 0.8 ? 'warning' : 'ok';
  const percent = `${Math.round(used * 100)}%`;
  return stepResult({
    outcome,
    reason: outcome === 'failed' ? 'above-critical' : outcome === 'warning' ? 'above-warning' : 'ok',
    summary: outcome === 'ok' ? `/ is ${percent} full` : `/ is ${percent} full, limit is 90%`,
    metrics: [{ name: 'used{/}', value: used, unit: 'ratio', warning: '0.8', critical: '0.9', min: 0, max: 1 }],
    findings:
      outcome === 'failed'
        ? [
            {
              id: 'disk-space',
              severity: 'high',
              subject: '/',
              detail: `${percent} of 20 GiB used`,
              remedy: 'remove old kernels and journals, or grow the file system',
              fingerprint: 'disk-space:/',
            },
          ]
        : [],
  });
}

function load(value: number): StepResult {
  return stepResult({
    step: 'load',
    name: 'Load',
    uses: 'check.load',
    outcome: value > 2 ? 'warning' : 'ok',
    reason: value > 2 ? 'above-warning' : 'ok',
    summary: `load ${value.toFixed(1)} per core`,
    metrics: [
      { name: 'load5', value, unit: 'count', warning: '2', critical: '4', min: 0 },
      { name: 'uptime', value: 1_036_800, unit: 'seconds' },
    ],
  });
}

function uptime(text: string): Partial<StepResult> {
  return {
    step: 'uptime',
    name: 'Uptime',
    uses: 'run.command',
    summary: text,
    evidence: { exitStatus: 0, stdout: `${text}\n`, stderr: '', stdoutBytes: text.length + 1, stderrBytes: 0 },
  };
}

function sshd(number: number): StepResult {
  const bad = number === 55 || number === 95;
  return stepResult({
    step: 'sshd',
    name: 'sshd answers',
    uses: 'check.service',
    outcome: bad ? 'failed' : 'ok',
    reason: bad ? 'not-running' : 'ok',
    summary: bad ? 'ssh.service is failed' : 'ssh.service is active',
    ...(bad && {
      evidence: {
        exitStatus: 3,
        stdout: '',
        stderr: 'Main process exited, code=exited, status=255/EXCEPTION\nFailed with result exit-code\n',
        stdoutBytes: 0,
        stderrBytes: 95,
      },
    }),
  });
}

function ntp(number: number): StepResult {
  const missing = number % 25 === 3;
  return stepResult({
    step: 'ntp',
    name: 'Clock',
    uses: 'check.time',
    outcome: missing ? 'unknown' : 'ok',
    reason: missing ? 'tool-missing' : 'ok',
    summary: missing ? 'neither chronyc nor timedatectl is there' : 'clock is synchronised',
  });
}

const rank: readonly Outcome[] = ['skipped', 'ok', 'changed', 'warning', 'unreachable', 'failed', 'unknown', 'refused'];

function worst(list: readonly Outcome[]): Outcome {
  return list.reduce<Outcome>(
    (most, outcome) => (rank.indexOf(outcome) > rank.indexOf(most) ? outcome : most),
    'skipped',
  );
}

const exitCodes: readonly (readonly [Outcome, number])[] = [
  ['refused', 5],
  ['unknown', 3],
  ['failed', 1],
  ['unreachable', 4],
];

function exitOf(hosts: RunResult['hosts']): RunResult['exit'] {
  const reasons = exitCodes
    .map(([reason, code]) => ({
      code,
      reason,
      hosts: hosts.filter(({ outcome, steps }) => outcome === reason || steps.some((step) => step.outcome === reason))
        .length,
    }))
    .filter(({ hosts: concerned }) => concerned > 0);
  const proven = hosts.some(({ steps }) => steps.some(({ outcome }) => outcomes.indexOf(outcome) < 3));
  if (reasons.length > 0) return { code: reasons[0]?.code ?? 1, reasons };
  return proven ? { code: 0, reasons: [] } : { code: 3, reasons: [{ code: 3, reason: 'nothing-proven', hosts: 0 }] };
}
