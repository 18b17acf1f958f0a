import { parseDuration } from '../documents/duration.js';
import { UserError } from '../errors.js';

/** When something starts: a minute that is in all five lists. Full lists restrict nothing. */
export interface Calendar {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
}

const bounds = {
  minutes: { from: 0, to: 59, name: 'minute' },
  hours: { from: 0, to: 23, name: 'hour' },
  days: { from: 1, to: 31, name: 'day of the month' },
  months: { from: 1, to: 12, name: 'month' },
  weekdays: { from: 0, to: 6, name: 'weekday' },
} as const;
type Field = keyof typeof bounds;
const fields = Object.keys(bounds) as Field[];

export const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const monthLengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const every: Calendar = {
  minutes: allOf('minutes'),
  hours: allOf('hours'),
  days: allOf('days'),
  months: allOf('months'),
  weekdays: allOf('weekdays'),
};

const periods = '1m 2m 3m 4m 5m 6m 10m 12m 15m 20m 30m 1h 2h 3h 4h 6h 8h 12h 1d 1w';

/**
 * `15m` to a calendar. Only what divides an hour, a day or a week: anything else would start at uneven times. `offset`
 * moves the first start, so that many machines do not all start at the full hour.
 */
export function everyPeriod(text: string, offset: number): Calendar {
  const minutes = parseDuration(text, '`--every`') / 60;
  const hours = minutes / 60;
  if (Number.isInteger(minutes) && minutes < 60 && 60 % minutes === 0)
    return { ...every, minutes: steps(offset % minutes, 59, minutes) };
  const minute = [offset % 60];
  const hour = Math.floor(offset / 60);
  if (Number.isInteger(hours) && hours < 24 && 24 % hours === 0)
    return { ...every, minutes: minute, hours: steps(hour % hours, 23, hours) };
  const timeOfDay = { minutes: minute, hours: [hour % 24] };
  if (hours === 24) return { ...every, ...timeOfDay };
  if (hours === 168) return { ...every, ...timeOfDay, weekdays: [Math.floor(hour / 24) % 7] };
  throw refuse(`\`--every ${text}\` does not divide an hour, a day or a week`, `take one of ${periods}`);
}

/** `02:30`, `Sun 02:30`, `Mon-Fri 02:30` to a calendar. */
export function atTime(text: string): Calendar {
  const [, days, hour, minute] = /^(?:([A-Za-z,-]+)\s+)?(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? [];
  if (hour === undefined || minute === undefined)
    throw refuse(`\`--at ${text}\` is no time of day`, 'write `--at 02:30` or `--at "Mon-Fri 02:30"`');
  return {
    ...every,
    minutes: readField('minutes', minute, text),
    hours: readField('hours', hour, text),
    weekdays: days === undefined ? every.weekdays : readField('weekdays', days, text),
  };
}

const words: Readonly<Record<string, string>> = {
  hourly: '0 * * * *',
  daily: '0 0 * * *',
  weekly: '0 0 * * 0',
  monthly: '0 0 1 * *',
};

/** The five fields of a crontab, or `hourly`, `daily`, `weekly`, `monthly`. */
export function fromCron(text: string): Calendar {
  const parts = (words[text.trim().replace(/^@/, '')] ?? text).trim().split(/\s+/);
  if (parts.length !== 5) {
    const hint = 'write minute, hour, day, month and weekday, such as "30 2 * * 1-5", or daily';
    throw refuse(`\`--calendar ${text}\` has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}, not 5`, hint);
  }
  const calendar = Object.fromEntries(
    fields.map((field, index) => [field, readField(field, parts[index] ?? '', text)]),
  ) as unknown as Calendar;
  if (!comesTrue(calendar))
    throw refuse(`\`--calendar ${text}\` names a day that no year has`, 'choose one that the month has');
  // cron takes days that fit one of the two, systemd those that fit both.
  if (!isFull('days', calendar.days) && !isFull('weekdays', calendar.weekdays))
    throw refuse(
      `\`--calendar ${text}\` names both days of the month and weekdays, which does not mean the same everywhere`,
      'write `*` for one of them',
    );
  return calendar;
}

function comesTrue({ days, months }: Calendar): boolean {
  return months.some((month) => (days[0] ?? 1) <= (monthLengths[month - 1] ?? 31));
}

function readField(field: Field, text: string, whole: string): readonly number[] {
  const { from, to, name } = bounds[field];
  const problem = () =>
    refuse(`"${text}" in "${whole}" is no ${name}`, `write ${from} to ${to}, a range, a list, or \`*\``);
  // Sunday is 0 and 7.
  const last = field === 'weekdays' ? 7 : to;
  const found = text.split(',').flatMap((part) => {
    const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    const [first, end] = range === '*' ? [from, to] : range.split(/-|\.\./).map((value) => numberOf(field, value));
    const until = end ?? (step === undefined ? first : to);
    const by = Number(step ?? 1);
    if (first === undefined || until === undefined || !(first >= from && until <= last && first <= until && by >= 1))
      throw problem();
    return steps(first, until, by);
  });
  return [...new Set(found.map((value) => (field === 'weekdays' ? value % 7 : value)))].sort((a, b) => a - b);
}

function numberOf(field: Field, text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const names: readonly string[] = field === 'weekdays' ? weekdayNames : field === 'months' ? monthNames : [];
  const index = names.findIndex((name) => name.toLowerCase() === text.toLowerCase());
  return index < 0 ? Number.NaN : index + bounds[field].from;
}

/** The five fields of a crontab. */
export function cronText(calendar: Calendar): string {
  return fields.map((field) => listText(field, calendar[field], String, '-')).join(' ');
}

/** The same for `OnCalendar=` of a systemd timer. */
export function systemdText({ minutes, hours, days, months, weekdays }: Calendar): string {
  const two = (value: number) => String(value).padStart(2, '0');
  // Its weekdays go from Monday to Sunday.
  const ordered = [...weekdays].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
  const named = isFull('weekdays', weekdays) ? '' : `${ordered.map((day) => weekdayNames[day]).join(',')} `;
  const text = (field: Field, values: readonly number[]) => listText(field, values, two, '..');
  return `${named}*-${text('months', months)}-${text('days', days)} ${text('hours', hours)}:${text('minutes', minutes)}:00`;
}

/** For Jenkins, which spreads what has an H: any minute up to `jitter` seconds late, or any in a period. */
export function jenkinsText(calendar: Calendar, jitter: number): string {
  const [first = 0] = calendar.minutes;
  const period = periodOf(calendar.minutes);
  const late = Math.min(59, first + Math.floor(jitter / 60));
  const regular = period !== undefined && first < period && (calendar.minutes.at(-1) ?? 0) + period > 59;
  const minute =
    calendar.minutes.length === 60
      ? '*'
      : regular && period > 1
        ? `H/${period}`
        : calendar.minutes.length === 1 && late > first
          ? `H(${first}-${late})`
          : undefined;
  const [own, ...rest] = cronText(calendar).split(' ');
  return [minute ?? own, ...rest].join(' ');
}

/** Shortest time between two starts, in minutes, as if it were every day. */
export function shortestGap({ minutes, hours }: Calendar): number {
  const starts = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
  const day = 24 * 60;
  return Math.min(...starts.map((start, index) => (starts[index + 1] ?? (starts[0] ?? 0) + day) - start));
}

function listText(field: Field, values: readonly number[], one: (value: number) => string, dash: string): string {
  if (isFull(field, values)) return '*';
  const period = periodOf(values);
  const [first = 0] = values;
  const last = values.at(-1) ?? first;
  if (period !== undefined && values.length > 2)
    return `${one(first)}${dash}${one(last)}${period === 1 ? '' : `/${period}`}`;
  return values.map(one).join(',');
}

/** The distance between neighbours, when it is the same everywhere. */
function periodOf(values: readonly number[]): number | undefined {
  const [first, second] = values;
  if (first === undefined || second === undefined) return undefined;
  const period = second - first;
  return values.every((value, index) => value === first + index * period) ? period : undefined;
}

function isFull(field: Field, values: readonly number[]): boolean {
  return values.length === allOf(field).length;
}

function allOf(field: Field): readonly number[] {
  return steps(bounds[field].from, bounds[field].to, 1);
}

function steps(first: number, last: number, by: number): number[] {
  return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, index) => first + index * by);
}

function refuse(what: string, hint: string): UserError {
  return new UserError({ code: 'E_FLAG', what, hint });
}
