import type { Range, Unit } from './range.js';

/** A number in a base unit as people read it: `91 %`, `3.2 GiB`, `250 ms`, `12 d`. */
export function formatQuantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return value > 0 ? 'unlimited' : 'none';
  switch (unit) {
    case 'ratio':
      return `${round(value * 100)} %`;
    case 'bytes':
      return formatBytes(value);
    case 'seconds':
      return formatSeconds(value);
    case 'celsius':
      return `${round(value)} °C`;
    case 'count':
      return round(value);
  }
}

/** The good part of a range for people: `limit 90 %`, `at least 10 %`, `10 % to 20 %`. */
export function formatLimit(range: Range, unit: Unit): string {
  const start = formatQuantity(range.start, unit);
  const end = formatQuantity(range.end, unit);
  if (range.inside) return `must not be ${start} to ${end}`;
  if (range.end === Infinity) return `at least ${start}`;
  if (range.start === -Infinity || range.start === 0) return `limit ${end}`;
  return `${start} to ${end}`;
}

function formatBytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let index = 0;
  let rest = value;
  while (Math.abs(rest) >= 1024 && index < units.length - 1) {
    rest /= 1024;
    index += 1;
  }
  return `${round(rest)} ${units[index]}`;
}

function formatSeconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 1) return `${round(value * 1000)} ms`;
  if (size < 120) return `${round(value)} s`;
  if (size < 2 * 3600) return `${round(value / 60)} min`;
  if (size < 2 * 86_400) return `${round(value / 3600)} h`;
  return `${round(value / 86_400)} d`;
}

/** Three significant digits, never an exponent, no trailing zeros; whole numbers from 100 on. */
function round(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
