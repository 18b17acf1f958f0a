import { Secret } from '../../secrets/secret.js';
import type { Script } from '../../steps/script.js';
import { script } from '../../steps/script.js';

const prelude = script('./prelude.sh', import.meta.url);

/** One probe of a round, with its arguments resolved. */
export interface PayloadProbe {
  readonly script: Script;
  readonly args: readonly (string | Secret)[];
  /** Remote deadline, whole seconds. */
  readonly seconds: number;
}

/**
 * The text that one `sh -s` reads to run a round. Nothing runs before the last line has arrived, so a
 * payload cut half-way does nothing at all. The text holds the revealed secrets: write it to the channel only.
 */
export function buildPayload(nonce: string, probes: readonly PayloadProbe[]): string {
  const functions = new Map<string, string>();
  const calls = probes.map((probe, index) => {
    let name = functions.get(probe.script.text);
    if (name === undefined) {
      name = `probe_${functions.size}`;
      functions.set(probe.script.text, name);
    }
    return `probe ${index} ${probe.seconds} ${callText(name, probe.args)}`;
  });
  const definitions = [...functions].map(([text, name]) => `${name}() {\n${text}\n}`);
  return [
    // Should the host export an N, it must not hand ours on to what the probes start.
    `unset N; N=${nonce}`,
    prelude.text,
    ...definitions,
    'round() {',
    'watch',
    "frame 'b 0'",
    ...calls,
    'finish',
    '}',
    'round; exit',
    '',
  ].join('\n');
}

/** The one place where a value becomes shell text: a single-quoted word. NUL cannot be part of an argument. */
export function shellQuote(value: string): string {
  if (value.includes('\0')) throw new Error('a shell argument cannot hold a NUL character');
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A call of a shell function with its arguments. */
export function callText(name: string, args: readonly (string | Secret)[]): string {
  return [name, ...args.map(quoteArgument)].join(' ');
}

function quoteArgument(value: string | Secret): string {
  return value instanceof Secret ? value.reveal(shellQuote) : shellQuote(value);
}
