import type { StepResult } from '../result/result.schema.js';
import type { Secret } from '../secrets/secret.js';
import type { Memory, Sample } from '../steps/step.js';
import type { Connection, Target } from '../transports/transport.js';
import type { RunEvent } from './events.js';
import type { Privilege } from './shell.js';

/** What the whole run shares. Everything with an effect comes in from outside, so that tests can bring their own. */
export interface RunContext {
  readonly runId: string;
  readonly mode: 'run' | 'dry-run';
  emit(event: RunEvent): void;
  now(): Date;
  /** Aborts with the reason (`SIGINT`, `deadline`, `output`): stop orderly. */
  readonly signal: AbortSignal;
  connect(target: Target, signal: AbortSignal): Promise<Connection>;
  targetOf(host: string): Target;
  privilegeOf(host: string): Privilege;
  /** Resolved secrets by reference (`env:DB_PW`). */
  readonly secrets: ReadonlyMap<string, Secret>;
  redact(text: string): string;
  redactDeep<T>(value: T): T;
  /** Keeps long raw output; gives the file name below the run folder. */
  saveArtefact?(host: string, step: string, stream: 'stdout' | 'stderr', bytes: Buffer): string;
  /** What steps know from earlier runs; absent where nothing is to be remembered. */
  readonly memory?: {
    of(host: string, key: string): Memory;
    add(host: string, key: string, entry: { readonly keep?: unknown; readonly sample: Sample }): void;
  };
  /** Results of a run that is being resumed, by host and step key. */
  earlier(host: string, key: string): StepResult | undefined;
  /** Jobs that the earlier run may have started, by host and step key. */
  earlierJob(host: string, key: string): string | undefined;
}
