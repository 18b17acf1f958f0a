import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, text, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';
import { readUnits, type UnitProperties } from '../units.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[^-/\\s*?[\\]][^/\\s*?[\\]]*$',
      description: 'Name of the timer; `.timer` may be left out.',
      examples: ['backup', 'logrotate.timer'],
    },
    'warning-age': {
      ...rangeSchema('Warn when the time since it last started its unit is outside this range; a number is seconds.'),
      examples: ['26h'],
    },
    'critical-age': {
      ...rangeSchema('Fail when the time since it last started its unit is outside this range; a number is seconds.'),
      examples: ['2d'],
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface TimerData {
  readonly id: string;
  readonly found: boolean;
  readonly active: boolean;
  /** Seconds since it last started its unit; null when it never did. */
  readonly age: number | null;
  /** Seconds until it does again; null when that depends on another event, or never comes. */
  readonly next: number | null;
  /** It is active, and has no next time. */
  readonly over: boolean;
  readonly unit: {
    readonly id: string;
    /** In systemd's word: `loaded`, `not-found`, `masked`, `bad-setting` … */
    readonly load: string;
    readonly result: string;
    readonly status: string;
  } | null;
}

export default defineHostStep<FromSchema<typeof params>, TimerData>({
  kind: 'check.timer',
  summary: 'A systemd timer runs, started its unit in time, and it succeeded',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { 'warning-age': 'seconds', 'critical-age': 'seconds' }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ name }) => [name.endsWith('.timer') ? name : `${name}.timer`],
  parse(output) {
    expectSuccess(output);
    const [said = '', started] = text(output.stdout).split(/^== unit$/m);
    const timer = Object.assign({}, ...readUnits(said)) as UnitProperties;
    const now = numberOf(timer.Now, 'now');
    if (!timer.Id || !timer.LoadState || !timer.ActiveState)
      throw new UnreadableOutput('the state of the timer is missing');
    const [unit] = readUnits(started ?? '');
    if (timer.Unit && !unit?.LoadState) throw new UnreadableOutput('the state of the unit is missing');
    const last = readTime(timer.LastTriggerUSec);
    const next = readTime(timer.NextElapseUSecRealtime);
    return {
      id: timer.Id,
      found: timer.LoadState !== 'not-found',
      active: timer.ActiveState === 'active',
      age: last === null ? null : Math.max(0, now - last),
      next: next === null ? null : next - now,
      over: timer.SubState === 'elapsed',
      unit: unit
        ? {
            id: unit.Id ?? timer.Unit ?? '',
            load: unit.LoadState ?? '',
            result: unit.Result ?? '',
            status: unit.ExecMainStatus ?? '',
          }
        : null,
    };
  },
  judge(data, given) {
    const { id, unit, age, next } = data;
    if (!data.found)
      return {
        outcome: 'unknown',
        reason: 'timer-not-found',
        summary: `${id} does not exist here, is the name right?`,
      };
    const issues: Issue[] = [];
    if (!data.active) issues.push(wrong('timer-stopped', 'is not active'));
    else if (data.over) issues.push(wrong('timer-over', 'has no next time'));
    if (unit?.load === 'not-found') issues.push(wrong('unit-not-found', `starts ${unit.id}, which does not exist`));
    else if (unit && unit.load !== 'loaded')
      issues.push(
        wrong(
          'unit-not-loaded',
          `starts ${unit.id}, which ${unit.load === 'masked' ? 'is masked' : `is no good unit (${unit.load})`}`,
        ),
      );
    // The timer succeeds when it has started its unit, whatever becomes of that.
    if (unit && unit.result !== '' && unit.result !== 'success') {
      const status = unit.status && unit.status !== '0' ? `, status ${unit.status}` : '';
      issues.push(wrong('unit-failed', `started ${unit.id}, which failed (${unit.result}${status})`));
    }
    const limited = given['warning-age'] !== undefined || given['critical-age'] !== undefined;
    const measured =
      age === null
        ? null
        : measure(
            'age',
            age,
            'seconds',
            { warning: given['warning-age'], critical: given['critical-age'], min: 0 },
            (time) => `last ran ${time} ago`,
          );
    if (age === null && limited) issues.push(wrong('never-ran', 'has never run'));
    const last = age === null ? 'has never run' : `last ran ${formatQuantity(age, 'seconds')} ago`;
    return judgeIssues([...issues, ...(measured?.issues ?? [])], {
      subject: id,
      calm: next === null ? last : `${last}, next in ${formatQuantity(Math.max(0, next), 'seconds')}`,
      metrics: [...(measured ? [measured.metric] : []), ...(next === null ? [] : [metricOf('next', next, 'seconds')])],
    });
  },
});

/** `Mon 2026-11-23 12:57:06 UTC` in seconds; null for none. */
function readTime(words: string | undefined): number | null {
  if (words === undefined || words === '' || words === 'n/a' || words === '0') return null;
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC$/.exec(words);
  const time = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
  if (Number.isNaN(time)) throw new UnreadableOutput(`not a time: ${words.slice(0, 80)}`);
  return time / 1000;
}
