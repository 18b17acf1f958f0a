import type { FromSchema, JsonSchema } from '../documents/json-schema.js';

export const outcomes = ['ok', 'changed', 'warning', 'failed', 'unknown', 'unreachable', 'refused', 'skipped'] as const;
export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const;

const history = {
  type: 'object',
  description: 'How it was in earlier runs, where the step follows it with `trends`.',
  properties: {
    points: {
      type: 'array',
      maxItems: 40,
      items: {
        type: 'object',
        description: 'What one run measured.',
        properties: {
          at: { type: 'string', description: 'When, UTC, ISO 8601.' },
          value: { type: 'number', description: 'In the unit of the metric.' },
        },
        required: ['at', 'value'],
        additionalProperties: false,
      },
      description: 'Oldest first, this run last. Of many the lowest and the highest of each stretch of time.',
    },
    forecast: {
      type: 'object',
      description: 'Where it goes if it goes on like this, for `show: full-in`. Absent where that never comes.',
      properties: {
        reaches: { type: 'number', description: 'The end, in the unit of the metric.' },
        in: { type: 'number', description: 'Seconds from this run on.' },
      },
      required: ['reaches', 'in'],
      additionalProperties: false,
    },
  },
  required: ['points'],
  additionalProperties: false,
} as const satisfies JsonSchema;

const metric = {
  type: 'object',
  description: 'One measured number, in a base unit.',
  properties: {
    name: { type: 'string', description: 'Stable, unique in its step: `used`, `load5`, `used{/var}`.' },
    value: { type: 'number', description: 'In the base unit.' },
    unit: {
      enum: ['bytes', 'seconds', 'ratio', 'count', 'celsius'],
      description: 'Base unit. A ratio is 0 to 1 and shown as per cent.',
    },
    warning: { type: 'string', description: 'Nagios range in the base unit; outside it is a warning.' },
    critical: { type: 'string', description: 'Nagios range in the base unit; outside it is a failure.' },
    min: { type: 'number', description: 'Smallest possible value.' },
    max: { type: 'number', description: 'Largest possible value.' },
    history,
  },
  required: ['name', 'value', 'unit'],
  additionalProperties: false,
} as const satisfies JsonSchema;

const waiver = {
  type: 'object',
  description: 'Who accepted it, why, and until when.',
  properties: {
    owner: { type: 'string', description: 'Who answers for it.' },
    reason: { type: 'string', description: 'Why it is accepted.' },
    ticket: { type: 'string', description: 'Where it is tracked.' },
    expires: { type: 'string', description: 'A date, to the end of that day UTC, or a time.' },
  },
  required: ['owner', 'reason', 'expires'],
  additionalProperties: false,
} as const satisfies JsonSchema;

const waiverStates = {
  waived: { ...waiver, description: 'It is accepted for now and does not count.' },
  waiverExpired: { ...waiver, description: 'It was accepted until a time that is over, so it counts again.' },
} as const;

export const changes = ['new', 'still', 'fixed'] as const;

const since = {
  type: 'string',
  description: 'The first run, of those in a row, that saw it in this state: when it began, UTC, ISO 8601.',
} as const;

const finding = {
  type: 'object',
  description: 'One thing that somebody should look at.',
  properties: {
    id: { type: 'string', description: 'Stable id of the rule: `disk-space`.' },
    severity: { enum: severities, description: 'How bad it is.' },
    subject: { type: 'string', description: 'What it is about: a mount point, a unit, an account.' },
    detail: { type: 'string', description: 'What was seen.' },
    remedy: { type: 'string', description: 'What to do.' },
    controls: {
      type: 'array',
      items: { type: 'string' },
      description: 'Control ids of a standard, such as `CIS 5.2.1`.',
    },
    fingerprint: { type: 'string', description: 'Same host, step, rule and subject give the same text in every run.' },
    ...waiverStates,
    change: { enum: ['new', 'still'], description: 'Whether the last run of the runbook found it, too.' },
    since,
  },
  required: ['id', 'severity', 'subject', 'detail', 'fingerprint'],
  additionalProperties: false,
} as const satisfies JsonSchema;

const evidence = {
  type: 'object',
  description: 'What the host said. Secrets are masked, long output is cut.',
  properties: {
    exitStatus: {
      type: ['integer', 'null'],
      description: 'Exit status of the probe or command; null when it is not known.',
    },
    signal: { type: 'string', description: 'Signal that ended it.' },
    stdout: { type: 'string', description: 'Head and tail of standard output.' },
    stderr: { type: 'string', description: 'Head and tail of standard error.' },
    stdoutBytes: { type: 'integer', description: 'Whole length in bytes.' },
    stderrBytes: { type: 'integer', description: 'Whole length in bytes.' },
    artefact: { type: 'string', description: 'File below the run folder that holds the raw output.' },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

const stepResult = {
  type: 'object',
  description: 'One step on one host (and one item, for a loop).',
  properties: {
    step: {
      type: 'string',
      description: 'Stable key of the step in its runbook: its id, or its place such as `3` or `deploy/2`.',
    },
    name: { type: 'string', description: 'Name for people.' },
    uses: { type: 'string', description: 'Step kind, such as `check.disk`.' },
    item: { type: 'string', description: 'The item of an `each` loop, as text.' },
    outcome: { enum: outcomes, description: 'How it ended.' },
    reason: { type: 'string', description: 'Stable code: `ok`, `above-critical`, `timeout`, `tool-missing` …' },
    summary: { type: 'string', description: 'One line for people.' },
    data: { description: 'What the step kind measured; its shape is documented with the kind.' },
    metrics: { type: 'array', items: metric, description: 'Measured numbers.' },
    findings: { type: 'array', items: finding, description: 'Things to look at.' },
    evidence,
    startedAt: { type: 'string', description: 'UTC, ISO 8601.' },
    duration: { type: 'number', description: 'Seconds.' },
    attempts: { type: 'integer', description: 'How often it was tried; 0 when it never started.' },
    severity: { enum: severities, description: 'Severity that the author gave the step.' },
    controls: { type: 'array', items: { type: 'string' }, description: 'Control ids that the author gave the step.' },
    rescued: {
      type: 'boolean',
      description:
        'The step is not ok, and does not count: its group made good for it, by rescue steps or as `covered` says.',
    },
    covered: { type: 'boolean', description: 'The group of the step requires no more ok results than it has.' },
    ...waiverStates,
    change: {
      enum: changes,
      description:
        'Compared with the last run of the runbook: `new`, `still` bad, or `fixed`. Absent for what is and was fine, and in a first run.',
    },
    since,
    soft: {
      type: 'object',
      description: 'It is bad, but not yet for as many runs in a row as the step asks for, and does not count.',
      properties: {
        run: { type: 'integer', description: 'How many runs in a row, this one included.' },
        of: { type: 'integer', description: 'From how many on it counts: `hard-after`.' },
      },
      required: ['run', 'of'],
      additionalProperties: false,
    },
    gone: {
      type: 'array',
      items: {
        type: 'object',
        description: 'One of them.',
        properties: {
          id: { type: 'string', description: 'Stable id of the rule.' },
          subject: { type: 'string', description: 'What it was about.' },
          since,
        },
        required: ['id', 'subject', 'since'],
        additionalProperties: false,
      },
      description: 'Findings of the last run that are no more.',
    },
  },
  required: [
    'step',
    'name',
    'uses',
    'outcome',
    'reason',
    'summary',
    'metrics',
    'findings',
    'startedAt',
    'duration',
    'attempts',
  ],
  additionalProperties: false,
} as const satisfies JsonSchema;

const hostResult = {
  type: 'object',
  description: 'All that happened on one host.',
  properties: {
    name: { type: 'string', description: 'Inventory name.' },
    address: { type: 'string', description: 'Address that was contacted.' },
    transport: { type: 'string', description: '`local`, `ssh` or `openssh`.' },
    outcome: { enum: outcomes, description: 'The worst outcome of its steps.' },
    reason: { type: 'string', description: 'Why the host could not be worked on, when it could not.' },
    summary: { type: 'string', description: 'The same for people.' },
    waived: { ...waiver, description: 'That the host could not be worked on is accepted for now and does not count.' },
    change: { enum: changes, description: 'The same for the host as a whole: that it could not be worked on.' },
    since,
    behind: {
      type: 'array',
      items: { type: 'string' },
      description: 'Why it is unreachable, with reason `parent-down`: the parents or the jump host that are so first.',
    },
    hostKeys: { type: 'array', items: { type: 'string' }, description: 'Verified host keys, hop by hop.' },
    steps: { type: 'array', items: stepResult, description: 'In the order of the runbook.' },
  },
  required: ['name', 'address', 'transport', 'outcome', 'steps'],
  additionalProperties: false,
} as const satisfies JsonSchema;

/** The published result of a run: what `-o json` prints and `result.json` holds. */
export const resultSchema = {
  $id: 'https://opsctl.dev/schemas/v1/result.schema.json',
  title: 'opsctl run result',
  type: 'object',
  properties: {
    schema: { const: 'opsctl.result/1', description: 'Version of this format.' },
    run: {
      type: 'object',
      description: 'About the run itself.',
      properties: {
        id: { type: 'string', description: 'Run id; sorts by time.' },
        runbook: { type: 'string', description: 'Name of the runbook, or the command line that stood for one.' },
        file: { type: 'string', description: 'Runbook file as given.' },
        sha256: { type: 'string', description: 'Hash of the runbook file.' },
        mode: { enum: ['run', 'dry-run'], description: 'Whether changing steps were allowed to change.' },
        startedAt: { type: 'string', description: 'UTC, ISO 8601.' },
        finishedAt: { type: 'string', description: 'UTC, ISO 8601.' },
        duration: { type: 'number', description: 'Seconds.' },
        actor: { type: 'string', description: 'Who ran it: user@machine.' },
        version: { type: 'string', description: 'opsctl version.' },
        stopped: { type: 'string', description: 'Why it ended early: a signal, the run deadline, `locked`, `output`.' },
      },
      required: ['id', 'runbook', 'mode', 'startedAt', 'finishedAt', 'duration', 'version'],
      additionalProperties: false,
    },
    exit: {
      type: 'object',
      description: 'The exit code and what led to it, most important first.',
      properties: {
        code: { type: 'integer', description: 'Exit code of the process.' },
        reasons: {
          type: 'array',
          description: 'Every reason that applies.',
          items: {
            type: 'object',
            properties: {
              code: { type: 'integer', description: 'The exit code that this reason alone would give.' },
              reason: {
                type: 'string',
                description:
                  '`failed`, `unknown`, `unreachable`, `refused`, `nothing-proven`, `too-few-results`, `deadline`, a signal …',
              },
              hosts: { type: 'integer', description: 'How many hosts it concerns.' },
            },
            required: ['code', 'reason', 'hosts'],
            additionalProperties: false,
          },
        },
      },
      required: ['code', 'reasons'],
      additionalProperties: false,
    },
    totals: {
      type: 'object',
      description: 'How many step results have each outcome, and how many do not count.',
      properties: {
        ok: { type: 'integer', description: 'Proven good.' },
        changed: { type: 'integer', description: 'Changed, and proven.' },
        warning: { type: 'integer', description: 'Outside the warning range.' },
        failed: { type: 'integer', description: 'Known to be bad.' },
        unknown: { type: 'integer', description: 'Could not be told.' },
        unreachable: { type: 'integer', description: 'Not started: no connection.' },
        refused: { type: 'integer', description: 'Not started: trust, login or policy.' },
        skipped: { type: 'integer', description: 'Not asked for, or does not apply.' },
        waived: { type: 'integer', description: 'Accepted for now, and in none of the numbers above; absent for 0.' },
        soft: { type: 'integer', description: 'Bad, but not yet often enough to count; absent for 0.' },
        new: {
          type: 'integer',
          description: 'Bad, and not in the last run; absent for 0 and in a first run.',
        },
        still: { type: 'integer', description: 'Bad, as in the last run; absent for 0.' },
        fixed: { type: 'integer', description: 'Bad in the last run, and no more; absent for 0.' },
      },
      required: [...outcomes],
      additionalProperties: false,
    },
    hosts: { type: 'array', items: hostResult, description: 'In the order of the selection.' },
    warnings: { type: 'array', items: { type: 'string' }, description: 'Notes about the run that belong to no host.' },
  },
  required: ['schema', 'run', 'exit', 'totals', 'hosts', 'warnings'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export type Outcome = (typeof outcomes)[number];
export type Change = (typeof changes)[number];
export type Severity = (typeof severities)[number];
export type Metric = FromSchema<typeof metric>;
export type History = FromSchema<typeof history>;
export type Finding = FromSchema<typeof finding>;
export type Waiver = FromSchema<typeof waiver>;
export type Evidence = FromSchema<typeof evidence>;
export type StepResult = FromSchema<typeof stepResult>;
export type HostResult = FromSchema<typeof hostResult>;
export type RunResult = FromSchema<typeof resultSchema>;
