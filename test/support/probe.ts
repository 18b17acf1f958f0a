import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { JsonSchema } from '../../src/documents/json-schema.js';
import type { HostStep, Judgement, Memory, ProbeOutput, StepKind } from '../../src/steps/step.js';

// biome-ignore lint/suspicious/noExplicitAny: a kind of any params and data
type AnyHostStep = HostStep<any, any>;

/** Shells that hosts have as /bin/sh. */
export const shells: Readonly<Record<string, readonly string[]>> = {
  dash: ['dash'],
  bash: ['bash', '--posix'],
  busybox: ['busybox', 'sh'],
};

/** `with` as a kind gets it: defaults filled in. */
// biome-ignore lint/suspicious/noExplicitAny: the params of any kind
export function withDefaults(kind: StepKind, given: object = {}): any {
  const properties = (kind.params.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  const defaults = Object.entries(properties).flatMap(([name, schema]) =>
    schema.default === undefined ? [] : [[name, schema.default]],
  );
  return { ...Object.fromEntries(defaults), ...given };
}

/** Runs the probe of a kind in a real shell, as the payload does: values as "$1"…, no input, C locale. */
export function runProbe(
  kind: AnyHostStep,
  given: object = {},
  shell: keyof typeof shells = 'dash',
  memory?: Memory,
): ProbeOutput {
  const [program = 'sh', ...options] = shells[shell] ?? [];
  const args = kind.args(withDefaults(kind, given), memory).map(String);
  const env = { ...process.env, LC_ALL: 'C' };
  const result = spawnSync(program, [...options, '-c', kind.probe.text, 'sh', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  if (result.status === null) throw result.error ?? new Error(`the probe was ended by ${result.signal}`);
  return { stdout: result.stdout, stderr: result.stderr, exitStatus: result.status };
}

/** Parses and judges what a probe printed. A string stands for standard output with status 0. */
export function judgeOutput(kind: AnyHostStep, output: ProbeOutput | string, given: object = {}): Judgement {
  const params = withDefaults(kind, given);
  return kind.judge(kind.parse(outputOf(output), params), params, context);
}

export const context = { host: 'web1', now: new Date('2026-01-02T03:04:05Z') } as const;

export function outputOf(output: ProbeOutput | string): ProbeOutput {
  return typeof output === 'string' ? { stdout: Buffer.from(output), stderr: Buffer.alloc(0), exitStatus: 0 } : output;
}

/** Text of a file in the `fixtures` folder beside a test. */
export function fixture(name: string, base: string): string {
  return readFileSync(new URL(`./fixtures/${name}`, base), 'utf8');
}

/** Runs a program and returns what it printed; throws when it fails. */
export function say(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
