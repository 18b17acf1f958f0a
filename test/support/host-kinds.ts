import type { JsonSchema } from '../../src/documents/json-schema.js';
import { type Attempt, judgeFrames } from '../../src/execute/attempt.js';
import { Capture } from '../../src/execute/payload/frames.js';
import { stepKinds } from '../../src/steps/index.js';
import type { HostStep, ProbeOutput } from '../../src/steps/step.js';
import { withDefaults } from './probe.js';

// biome-ignore lint/suspicious/noExplicitAny: kinds of any params and data
export type AnyHostStep = HostStep<any, any>;

export interface HostKind {
  readonly name: string;
  readonly kind: AnyHostStep;
  /** What the kind needs at least: for what is required, the example that its documentation gives. */
  readonly given: Record<string, unknown>;
  /** The same with the defaults. */
  readonly params: Record<string, unknown>;
}

/** Every kind that runs on the host. `also`: params by kind, where the examples do not fit or are not enough. */
export async function hostKinds(also: Readonly<Record<string, object>>): Promise<readonly HostKind[]> {
  const loaded = await Promise.all(
    Object.entries(stepKinds).map(async ([name, load]) => ({ name, kind: await load() })),
  );
  return loaded.flatMap(({ name, kind }) => {
    if (kind.runs !== 'host') return [];
    const properties = (kind.params.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
    const required = ((kind.params.required ?? []) as readonly string[]).map((key) => {
      const { examples, enum: choices } = (properties[key] ?? {}) as { examples?: unknown[]; enum?: unknown[] };
      return [key, examples?.[0] ?? choices?.[0]];
    });
    const given = { ...Object.fromEntries(required), ...also[name] };
    return [{ name, kind: kind as AnyHostStep, given, params: withDefaults(kind, given) }];
  });
}

/** False for what authors wrote themselves (a command, a plugin, a goss file): that is tested with its kind. */
export function hasOwnProbe({ name, kind }: HostKind): boolean {
  return typeof kind.effect === 'string' && !['check.command', 'check.plugin', 'check.goss'].includes(name);
}

/** What the engine makes of the output of a probe: frames in, an attempt out. */
export function judgeAsEngine(kind: AnyHostStep, params: unknown, output: ProbeOutput): Attempt {
  const captured = (bytes: Buffer) => {
    const capture = new Capture(1_048_576);
    capture.push(bytes);
    return capture;
  };
  const frames = {
    stdout: captured(output.stdout),
    stderr: captured(output.stderr),
    began: true,
    exitStatus: output.exitStatus,
    ended: 'done',
    complete: true,
  } as const;
  return judgeFrames(kind, params, frames, { host: 'web1', now: new Date() }, 30);
}
