import { type ProbeOutput, text, UnreadableOutput } from './step.js';

/** Lines of a probe that prints `key<TAB>value` lines, as pairs, in order. */
export function tabbedLines(output: ProbeOutput): readonly (readonly [key: string, value: string])[] {
  return text(output.stdout)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      if (tab < 1) throw new UnreadableOutput(`not a line of the probe: ${line.slice(0, 200)}`);
      return [line.slice(0, tab), line.slice(tab + 1)] as const;
    });
}

/** A finite number, or the output is unreadable: an empty text is never 0. */
export function numberOf(value: string | undefined, name: string): number {
  const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) throw new UnreadableOutput(`${name} is not a number: ${value ?? 'missing'}`);
  return number;
}

/** Stops at a status that the probe does not explain. */
export function expectSuccess(output: ProbeOutput): void {
  if (output.exitStatus === 0) return;
  const last = text(output.stderr).trim().split('\n').at(-1);
  throw new UnreadableOutput(`probe ended with status ${output.exitStatus}${last ? `: ${last.slice(0, 200)}` : ''}`);
}
