import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, type Measurement, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    command: {
      type: 'string',
      minLength: 1,
      pattern: '^[^\\n]+$',
      description:
        'Part of the command of a job, as it is in the crontab. When it was last started is looked up in the journal or the syslog file.',
      examples: ['/usr/local/bin/backup'],
    },
    anacron: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.-]+$',
      description: 'Name of a job of anacron, which leaves a stamp when it is done.',
      examples: ['cron.daily'],
    },
    file: {
      type: 'string',
      pattern: '^/',
      description: 'File that the job writes when it has succeeded.',
      examples: ['/var/backups/dump.done'],
    },
    'warning-age': {
      ...rangeSchema(
        'Warn when the time since the job was last started (`command`, `anacron`) is outside this range; a number is seconds.',
      ),
      examples: ['26h'],
    },
    'critical-age': {
      ...rangeSchema(
        'Fail when the time since the job was last started (`command`, `anacron`) is outside this range; a number is seconds.',
      ),
      examples: ['2d'],
    },
    'warning-file-age': {
      ...rangeSchema('Warn when the time since the file was last changed is outside this range; a number is seconds.'),
      examples: ['26h'],
    },
    'critical-file-age': {
      ...rangeSchema('Fail when the time since the file was last changed is outside this range; a number is seconds.'),
      examples: ['2d'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface CronData {
  /** Name of the daemon that runs; null for none. */
  readonly daemon: string | null;
  /** A daemon is installed. */
  readonly installed: boolean;
  /** Where starts of commands were looked up; null when they were not asked for. */
  readonly log: string | null;
  /** Seconds since the command was last started; null when the log has no such line. */
  readonly ran: number | null;
  /** Seconds that the log goes back. */
  readonly reach: number | null;
  /** Seconds since anacron finished the job; null when it never did. */
  readonly stamp: number | null;
  /** Seconds since the file changed; null when it does not exist. */
  readonly file: number | null;
}

export default defineHostStep<Params, CronData>({
  kind: 'check.cron',
  summary: 'The cron daemon runs, and a job ran lately and wrote its file',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, {
      'warning-age': 'seconds',
      'critical-age': 'seconds',
      'warning-file-age': 'seconds',
      'critical-file-age': 'seconds',
    }),
    ...(['warning-age', 'critical-age'] as const)
      .filter((name) => given[name] !== undefined && given.command === undefined && given.anacron === undefined)
      .map((name) => ({
        path: [name],
        what: 'needs a job',
        hint: 'add command or anacron; for a file there is warning-file-age',
      })),
    ...(['warning-file-age', 'critical-file-age'] as const)
      .filter((name) => given[name] !== undefined && given.file === undefined)
      .map((name) => ({ path: [name], what: 'needs a file', hint: 'add file' })),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: ({ command, anacron, file }) => [command ?? '', anacron ?? '', file ?? ''],
  parse(output, given) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const values = new Map(lines);
    const daemon = values.get('daemon');
    if (daemon === undefined || lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the answer is cut off');
    const now = numberOf(values.get('now'), 'now');
    const age = (key: string) => {
      const time = values.get(key);
      if (!time) return null;
      const at = /^\d{4}-/.test(time) ? Date.parse(time) / 1000 : Number(time);
      if (!Number.isFinite(at)) throw new UnreadableOutput(`not a time: ${time.slice(0, 80)}`);
      // What is dated far ahead must not stay young for ever.
      return now - at > -60 ? Math.max(0, now - at) : now - at;
    };
    const log = values.get('log') ?? null;
    const asked = { log: given.command, stamp: given.anacron, file: given.file };
    for (const [key, wanted] of Object.entries(asked))
      if (wanted !== undefined && !values.has(key)) throw new UnreadableOutput(`the answer lacks ${key}`);
    return {
      daemon: daemon === '' || daemon === 'absent' ? null : daemon,
      installed: daemon !== 'absent',
      log,
      ran: age('ran'),
      reach: age('since'),
      stamp: age('stamp'),
      file: age('file'),
    };
  },
  judge(data, given) {
    const { daemon, installed } = data;
    const { command, anacron, file } = given;
    if (!installed && command === undefined && anacron === undefined && file === undefined)
      return { outcome: 'skipped', reason: 'not-applicable', summary: 'no cron daemon is installed' };
    const issues: Issue[] = [];
    const looked: Measurement[] = [];
    // A timer of systemd may start anacron: there no daemon is needed.
    if (daemon === null && (command !== undefined || anacron === undefined))
      issues.push(wrong('cron-stopped', installed ? 'no cron daemon runs' : 'no cron daemon is installed'));
    const limits = { warning: given['warning-age'], critical: given['critical-age'], min: 0 };
    if (command !== undefined) {
      if (data.ran === null) issues.push(notSeen(data, given));
      else
        looked.push(
          measure('age', data.ran, 'seconds', limits, (time) => `"${shortened(command)}" was last started ${time} ago`),
        );
    }
    if (anacron !== undefined) {
      if (data.stamp === null) issues.push(wrong('never-ran', `anacron has never finished ${anacron}`));
      else
        looked.push(
          measure(
            'anacron-age',
            data.stamp,
            'seconds',
            limits,
            (time) => `anacron last finished ${anacron} ${time} ago`,
          ),
        );
    }
    if (file !== undefined) {
      const fileLimits = { warning: given['warning-file-age'], critical: given['critical-file-age'], min: 0 };
      if (data.file === null) issues.push(wrong('file-absent', `${file} does not exist`));
      else
        looked.push(
          measure('file-age', data.file, 'seconds', fileLimits, (time) => `${file} was last changed ${time} ago`),
        );
    }
    const seen = [
      ...(daemon === null ? [] : [`${daemon} runs`]),
      ...(data.ran === null ? [] : [`the job was started ${formatQuantity(data.ran, 'seconds')} ago`]),
      ...(data.stamp === null ? [] : [`${anacron} was done ${formatQuantity(data.stamp, 'seconds')} ago`]),
      ...(data.file === null ? [] : [`${file} was changed ${formatQuantity(data.file, 'seconds')} ago`]),
    ];
    return judgeIssues([...issues, ...looked.flatMap((one) => one.issues)], {
      calm: seen.join(', '),
      metrics: looked.map(({ metric }) => metric),
    });
  },
});

/** A log proves that a job did not run only as far as it goes back. */
function notSeen({ log, reach }: CronData, given: Params): Issue {
  const command = shortened(given.command ?? '');
  const span = reach === null ? 'is empty' : `goes back ${formatQuantity(reach, 'seconds')}`;
  const limits = { warning: given['warning-age'], critical: given['critical-age'] };
  const [issue] = reach === null ? [] : measure('age', reach, 'seconds', limits, () => '').issues;
  const text = `"${command}" was not started in ${log}, which ${span}`;
  return issue?.reason.startsWith('above')
    ? { outcome: issue.outcome, reason: 'not-started', text }
    : { outcome: 'unknown', reason: 'not-seen', text };
}

function shortened(words: string): string {
  return words.length > 60 ? `${words.slice(0, 59)}…` : words;
}
