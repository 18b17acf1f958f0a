/** At most this many hosts in one inventory; a mistyped range must not eat the memory. */
export const maxHosts = 100_000;

/** Says what is wrong with a range; the caller knows the place. */
export class HostRangeError extends Error {}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * The names that `web[01:20].example.com` stands for. Both ends are included. `[a:f]` counts letters,
 * `[0:10:2]` has a step, `[01:20]` keeps its zeros, and a name may hold several ranges.
 * @throws HostRangeError
 */
export function expandRange(name: string): string[] {
  const open = name.indexOf('[');
  if (open === -1) return [name];
  const parts = splitRanges(name);
  const count = parts.reduce((total, part) => total * (typeof part === 'string' ? 1 : part.length), 1);
  if (count > maxHosts) throw new HostRangeError(`"${name}" stands for ${count} hosts, the limit is ${maxHosts}`);
  let names = [''];
  for (const part of parts) {
    const choices = typeof part === 'string' ? [part] : part;
    names = names.flatMap((head) => choices.map((tail) => head + tail));
  }
  return names;
}

/** Literal text and lists of choices, in turn. */
function splitRanges(name: string): (string | string[])[] {
  const parts: (string | string[])[] = [];
  let rest = name;
  while (rest !== '') {
    const open = rest.indexOf('[');
    if (open === -1) {
      parts.push(rest);
      break;
    }
    const close = rest.indexOf(']', open);
    if (close === -1) throw new HostRangeError(`"${name}" has a "[" without a "]"`);
    if (open > 0) parts.push(rest.slice(0, open));
    parts.push(choicesOf(rest.slice(open + 1, close), name));
    rest = rest.slice(close + 1);
  }
  return parts;
}

function choicesOf(range: string, name: string): string[] {
  const bounds = range.split(':');
  const [first = '', last = '', stepText = '1'] = bounds;
  if (bounds.length < 2 || bounds.length > 3)
    throw new HostRangeError(`"[${range}]" in "${name}" is not a range such as [01:20], [a:f] or [0:10:2]`);
  const step = /^\d{1,9}$/.test(stepText) ? Number(stepText) : 0;
  if (step < 1) throw new HostRangeError(`"[${range}]" in "${name}" needs a step of 1 or more`);
  if (last === '') throw new HostRangeError(`"[${range}]" in "${name}" has no end`);
  const from = first === '' ? '0' : first;
  if (from.length === 1 && last.length === 1 && letters.includes(from) && letters.includes(last)) {
    const [start, end] = [letters.indexOf(from), letters.indexOf(last)];
    if (start > end) throw new HostRangeError(`"[${range}]" in "${name}" starts after its end`);
    return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => letters.charAt(start + i * step));
  }
  if (!/^\d{1,15}$/.test(from) || !/^\d{1,15}$/.test(last))
    throw new HostRangeError(`"[${range}]" in "${name}" is not a range such as [01:20], [a:f] or [0:10:2]`);
  const padded = from.length > 1 && from.startsWith('0');
  if (padded && from.length !== last.length)
    throw new HostRangeError(`"[${range}]" in "${name}" needs as many digits at its end as at its start`);
  const [start, end] = [Number(from), Number(last)];
  if (start > end) throw new HostRangeError(`"[${range}]" in "${name}" starts after its end`);
  const count = Math.floor((end - start) / step) + 1;
  if (count > maxHosts) throw new HostRangeError(`"${name}" stands for ${count} hosts, the limit is ${maxHosts}`);
  return Array.from({ length: count }, (_, i) => String(start + i * step).padStart(padded ? from.length : 1, '0'));
}
