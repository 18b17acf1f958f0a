import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, type Measurement, measure, wrong } from '../issues.js';
import { judgeParts, type Part, partOf } from '../parts.js';

const params = {
  type: 'object',
  properties: {
    arrays: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Arrays that must be there, by the name of the kernel or the one below /dev/md. All are looked at.',
      examples: [['md0', 'home']],
    },
    warning: {
      ...rangeSchema('Warn when the number of members that an array lacks is outside this range.'),
      examples: [0],
    },
    critical: {
      ...rangeSchema('Fail when the number of members that an array lacks is outside this range.'),
      default: 0,
      examples: [0, 1],
    },
    rebuilding: {
      enum: ['warning', 'failed'],
      default: 'warning',
      description: 'What an array is that lacks members for `critical` and is being rebuilt.',
    },
    'warning-spares': {
      ...rangeSchema('Warn when the number of spares of an array is outside this range.'),
      examples: ['1:'],
    },
    'critical-spares': {
      ...rangeSchema('Fail when the number of spares of an array is outside this range.'),
      examples: ['1:'],
    },
    'warning-errors': {
      ...rangeSchema('Warn when the number of read errors that an array has corrected is outside this range.'),
      default: 10,
      examples: [0],
    },
    'critical-errors': {
      ...rangeSchema('Fail when the number of read errors that an array has corrected is outside this range.'),
      examples: [100],
    },
    'warning-mismatches': {
      ...rangeSchema('Warn when the number of sectors that the last check found to differ is outside this range.'),
      examples: [0],
    },
    'critical-mismatches': {
      ...rangeSchema('Fail when the number of sectors that the last check found to differ is outside this range.'),
      examples: [0],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

interface Member {
  readonly device: string;
  /** Words such as `in_sync`, `spare`, `faulty`, `write_mostly`. */
  readonly state: readonly string[];
  readonly errors: number;
}

interface Raid {
  readonly name: string;
  /** Its name below /dev/md, when it has one. */
  readonly alias: string | null;
  readonly level: string;
  readonly state: string;
  readonly disks: number;
  /** Members that it lacks; null where the level has no redundancy. */
  readonly missing: number | null;
  readonly mismatches: number | null;
  readonly sync: { readonly action: string; readonly done: number | null; readonly seconds: number | null } | null;
  readonly members: readonly Member[];
  /** It was made with a journal, and has none that works. */
  readonly journalLost: boolean;
}

export interface MdData {
  readonly arrays: readonly Raid[];
}

export default defineHostStep<Params, MdData>({
  kind: 'check.md',
  summary: 'Software RAID arrays are whole and in sync',
  params,
  effect: 'read',
  severity: 'high',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-spares': { unit: 'count', lower: true },
      'critical-spares': { unit: 'count', lower: true },
      'warning-errors': 'count',
      'critical-errors': 'count',
      'warning-mismatches': 'count',
      'critical-mismatches': 'count',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ arrays }) => [arrays.length > 0 ? 'yes' : 'no'],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of arrays is cut off');
    const starts = lines.flatMap(([key], index) => (key === 'array' ? [index] : []));
    const aliases = new Map(lines.filter(([key]) => key === 'name').map(([, value]) => twoWords(value)));
    return {
      arrays: starts
        .map((start, index) => lines.slice(start, starts[index + 1]))
        .filter((array) => !isContainer(array))
        .map((array) => readArray(array, aliases)),
    };
  },
  judge({ arrays }, given) {
    if (arrays.length === 0 && given.arrays.length === 0)
      return { outcome: 'skipped', reason: 'not-applicable', summary: 'no software RAID arrays' };
    const parts = arrays.map((array) => judgeArray(array, given));
    const isThere = (name: string) => arrays.some((array) => array.name === name || array.alias === name);
    const absent: Part[] = given.arrays
      .filter((name) => !isThere(name))
      .map((name) => ({ name, issues: [wrong('array-missing', 'is not there')], metrics: [] }));
    const sole = arrays.length === 1 ? arrays[0] : undefined;
    const syncing = arrays.filter(({ sync }) => sync).map((array) => `${called(array)} ${inSync(array)}`);
    const whole = sole
      ? `${called(sole)} is whole (${sole.level}, ${sole.disks} disks)`
      : `${arrays.length} arrays are whole`;
    return judgeParts([...absent, ...parts], [whole, ...syncing].join('; '));
  },
});

function judgeArray(array: Raid, given: Params): Part {
  const name = called(array);
  if (array.state === 'inactive' || array.state === 'clear' || array.state === 'broken')
    return {
      name,
      issues: [wrong('array-inactive', `does not run, its state is ${array.state}`)],
      metrics: [],
    };
  const faulty = array.members.filter(({ state }) => state.includes('faulty')).map(({ device }) => device);
  const spares = array.members.filter(({ state }) => state.includes('spare')).length;
  const named = faulty.length > 0 ? ` (faulty: ${faulty.join(', ')})` : '';
  const rebuilds = array.sync?.action === 'recover';

  const measured: Measurement[] = [];
  if (array.missing !== null) {
    const missing = measure(
      `missing{${name}}`,
      array.missing,
      'count',
      { warning: given.warning, critical: given.critical, min: 0, max: array.disks },
      (count) => `lacks ${count} of ${array.disks} disks${named}${rebuilds ? `, ${inSync(array)}` : ''}`,
    );
    measured.push({
      ...missing,
      issues: missing.issues.map(({ outcome, text }): Issue => {
        const eased = rebuilds && outcome === 'failed' ? given.rebuilding : outcome;
        return { outcome: eased, reason: rebuilds ? 'rebuilding' : 'degraded', text };
      }),
    });
    // A spare waits only where there is redundancy; one that is being rebuilt is on its way to be a member.
    measured.push(
      measure(
        `spares{${name}}`,
        rebuilds ? Math.max(0, spares - array.missing) : spares,
        'count',
        { warning: given['warning-spares'], critical: given['critical-spares'], min: 0 },
        (count) => `has ${count} spares`,
      ),
    );
  }
  measured.push(
    measure(
      `errors{${name}}`,
      array.members.reduce((sum, { errors }) => sum + errors, 0),
      'count',
      { warning: given['warning-errors'], critical: given['critical-errors'], min: 0 },
      (count) =>
        `has corrected ${count} read errors (${array.members.flatMap(({ device, errors }) => (errors > 0 ? [`${device} ${errors}`] : [])).join(', ')})`,
    ),
  );
  if (array.mismatches !== null)
    measured.push(
      measure(
        `mismatches{${name}}`,
        array.mismatches,
        'count',
        { warning: given['warning-mismatches'], critical: given['critical-mismatches'], min: 0 },
        (count) => `has ${count} sectors that differ`,
      ),
    );
  const replaced = faulty.length > 0 && !measured.some(({ issues }) => issues.some(({ text }) => text.includes(named)));
  const warned = (reason: string, text: string): Issue => ({ outcome: 'warning', reason, text });
  const part = partOf(name, measured, [
    ...(array.journalLost ? [wrong('journal-missing', 'lacks its journal, so it takes no writes')] : []),
    ...(array.state === 'readonly' ? [warned('read-only', 'is read-only')] : []),
    ...(replaced ? [warned('disk-faulty', `has faulty disks: ${faulty.join(', ')}`)] : []),
  ]);
  const done = array.sync?.done ?? null;
  return done === null
    ? part
    : { ...part, metrics: [...part.metrics, metricOf(`synced{${name}}`, done, 'ratio', { min: 0, max: 1 })] };
}

const actions: Readonly<Record<string, string>> = {
  recover: 'is being rebuilt',
  resync: 'is being synchronised',
  reshape: 'is being reshaped',
  check: 'is being checked',
  repair: 'is being repaired',
};

function inSync({ sync }: Raid): string {
  if (!sync) return '';
  const said = actions[sync.action] ?? sync.action;
  const done = sync.done === null ? '' : ` (${formatQuantity(sync.done, 'ratio')}`;
  const left = sync.seconds === null ? '' : `, ${formatQuantity(sync.seconds, 'seconds')} left`;
  return `${said}${done === '' ? '' : `${done}${left})`}`;
}

function called({ name, alias }: Raid): string {
  return alias ?? name;
}

/** Firmware RAID (imsm, ddf) has an array that only holds the disks of others. It never runs. */
function isContainer(lines: ReturnType<typeof tabbedLines>): boolean {
  const values = new Map(lines);
  // The arrays inside one are `external:/md127/0`, with `-` for `/` while they may not be written.
  return values.get('array_state') === 'inactive' && /^external:[^/-]/.test(values.get('metadata_version') ?? '');
}

function readArray(lines: ReturnType<typeof tabbedLines>, aliases: ReadonlyMap<string, string>): Raid {
  const values = new Map(lines);
  const said = (key: string) => values.get(key) ?? '';
  const count = (key: string) => (said(key) === '' ? null : numberOf(said(key), key));
  const name = said('array');
  const state = said('array_state');
  if (state === '') throw new UnreadableOutput(`the state of ${name} is missing`);
  const runs = state !== 'inactive' && state !== 'clear';
  const missing = count('degraded');
  const members = lines.filter(([key]) => key === 'member').map(([, value]) => readMember(value));
  if (runs && missing === null && !/^(raid0|linear|container|multipath|faulty)$/.test(said('level')))
    throw new UnreadableOutput(`what ${name} (${said('level')}) lacks is missing`);
  return {
    name,
    alias: aliases.get(name) ?? null,
    level: said('level'),
    state,
    // `4 (3)` while it is being reshaped from 3 to 4.
    disks: said('raid_disks') === '' ? 0 : numberOf(said('raid_disks').replace(/ \(\d+\)$/, ''), 'raid_disks'),
    missing,
    mismatches: count('mismatch_cnt'),
    sync: readSync(said('sync_action'), said('sync_completed'), said('sync_speed')),
    members,
    journalLost:
      said('consistency_policy') === 'journal' &&
      !members.some(({ state: words }) => words.includes('journal') && !words.includes('faulty')),
  };
}

/** `15616 / 122880` sectors at `1232` KiB a second. Both are words when there is nothing to tell. */
function readSync(action: string, completed: string, speed: string): Raid['sync'] {
  if (action === '' || action === 'idle' || action === 'frozen') return null;
  const [done, all] = completed.split(' / ').map(Number);
  if (done === undefined || !all || Number.isNaN(done)) return { action, done: null, seconds: null };
  const rate = Number(speed) * 2;
  return { action, done: done / all, seconds: rate > 0 ? (all - done) / rate : null };
}

function readMember(value: string): Member {
  const [device = '', errors, state = ''] = value.split(' ');
  if (state === '') throw new UnreadableOutput(`not a member of an array: ${value.slice(0, 200)}`);
  return { device, errors: errors === '-' ? 0 : numberOf(errors, 'errors'), state: state.split(',') };
}

function twoWords(value: string): [string, string] {
  const space = value.indexOf(' ');
  return [value.slice(0, space), value.slice(space + 1)];
}
