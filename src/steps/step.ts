/**
 * The contract of a step kind. A kind is a folder: step.ts (this object), probe.sh, README.md,
 * step.test.ts and fixtures/. `parse` and `judge` are pure; a kind never touches a transport.
 *
 * @example
 * export default defineHostStep<Params, Data>({
 *   kind: 'check.load', summary: 'Load average per core', params, effect: 'read',
 *   probe: script('./probe.sh', import.meta.url), args: () => [],
 *   parse: ({ stdout }) => …, judge: (data, params) => …,
 * });
 */
import type { Duplex } from 'node:stream';
import type { DocumentReader } from '../documents/document-reader.js';
import type { JsonSchema } from '../documents/json-schema.js';
import type { Finding, Metric, Severity } from '../result/result.schema.js';
import type { Secret } from '../secrets/secret.js';
import type { Script } from './script.js';

export type Effect = 'read' | 'change';

/** What a probe printed. Bytes until here; decode with `text()`. */
export interface ProbeOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitStatus: number;
}

/** A finding as a kind reports it; host, step and fingerprint are added by the engine. */
export type FoundIssue = Omit<Finding, 'fingerprint'>;

/** What a kind makes of its data. The engine adds times, attempts and evidence. */
export interface Judgement {
  readonly outcome: 'ok' | 'changed' | 'warning' | 'failed' | 'unknown' | 'skipped';
  /** Stable code. `ok` for ok. */
  readonly reason: string;
  /** One line, no full stop, names the subject and the number. */
  readonly summary: string;
  readonly metrics?: readonly Metric[];
  readonly findings?: readonly FoundIssue[];
  /** JSON for the next run of this step on this host (`Memory.kept`); only of kinds that say `remembers`. */
  readonly keep?: unknown;
}

/** One earlier run of a step on a host. */
export interface Sample {
  /** Seconds since 1970, by the clock of the controller. */
  readonly at: number;
  /** Metrics by name, in base units. */
  readonly values: Readonly<Record<string, number>>;
  /** What they are measured in, where that is known. */
  readonly units?: Readonly<Record<string, string>>;
}

/** What is known of the earlier runs of a step on a host. It comes from the state folder and may be absent or old. */
export interface Memory {
  /** What the last run asked to keep. The kind checks that it still fits. */
  readonly kept?: unknown;
  /** Oldest first; thinned out towards the past. */
  readonly samples: readonly Sample[];
  /** There was something that cannot be read: it is no first time. */
  readonly isLost?: boolean;
}

export interface JudgeContext {
  /** Inventory name of the host. */
  readonly host: string;
  /** Controller time when the step started. For ages use the host's own clock, which the probe prints. */
  readonly now: Date;
  /** Of kinds that say `remembers`. */
  readonly memory?: Memory;
}

/** Thrown by `parse` when the output is not what the probe prints; becomes `unknown`, reason `unreadable-output`. */
export class UnreadableOutput extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableOutput';
  }
}

/**
 * Probe exit statuses with a fixed meaning, so that no kind re-invents them. Any other non-zero status
 * reaches `parse`, which knows its tool.
 * 64 usage · 69 cannot tell (`unknown`, stderr says why) · 77 needs privilege (`unknown`) · 78 does not apply here (`skipped`).
 */
export const probeStatus = { unavailable: 69, needsPrivilege: 77, notApplicable: 78, toolMissing: 127 } as const;

/** What is wrong with a parameter; `path` starts in `with`. The code is `E_VALUE` when absent. */
export interface StepProblem {
  readonly code?: `E_${string}`;
  readonly path: readonly (string | number)[];
  readonly what: string;
  readonly hint?: string;
}

interface StepBase<P> {
  /** `family.name`, as the user types it. */
  readonly kind: string;
  /** One line for `opsctl steps`. */
  readonly summary: string;
  /** Schema literal of `with`. Every property has a description. */
  readonly params: JsonSchema;
  /** `read` changes nothing, whatever the params. A function where the author of the runbook declares it. */
  readonly effect: Effect | ((params: P) => Effect);
  /** Checks that the schema cannot express; each text becomes an error at the step, before any contact. */
  validate?(params: P): readonly StepProblem[];
  /**
   * Files on this machine that the step is about, such as a list of rules: read when the runbook is loaded, before any
   * contact. What it gives joins the parameters of `args`, `call`, `parse` and `judge`, under names that no parameter
   * has. Parameters that name files are fixed: `reader.areFixed` refuses expressions in them.
   *
   * @example
   * documents: async ({ file }, reader) => ({
   *   policy: await reader.load(file, { from: reader.place(['file']), schema, validator: 'policy', subject: 'a policy' }),
   * }),
   */
  documents?(params: P, reader: DocumentReader): Promise<Readonly<Record<string, unknown>>>;
  /** Seconds that the step may take when the runbook sets no `timeout`. Default 30. */
  readonly timeout?: number;
  /** Severity of its findings and failures when the runbook sets none. */
  readonly severity?: Severity;
  /** Its metrics and what it asks to keep are there again in the next run. */
  readonly remembers?: boolean;
  /** The side besides `runs` that `from` may name: a probe runs on this machine, a call dials from the host. */
  readonly alsoFrom?: 'host' | 'controller';
}

/** Runs on the host: a shell file, its arguments, and pure functions that read what it printed. */
export interface HostStep<P, D> extends StepBase<P> {
  readonly runs: 'host';
  readonly probe: Script;
  /**
   * The probe's exit status is the one of a command that the author chose: `probeStatus` does not apply,
   * every status reaches `parse`.
   */
  readonly rawStatus?: boolean;
  /** The probe prints what may hold secrets that nobody declared, so only `parse` sees it: no evidence, no artefact. */
  readonly hidesOutput?: boolean;
  /** Positional parameters `"$1"…`. The only way values reach a script. Secrets stay secret. */
  args(params: P, memory?: Memory): readonly (string | Secret)[];
  parse(output: ProbeOutput, params: P): D;
  judge(data: D, params: P, context: JudgeContext): Judgement;
}

/** Looks from the controller (`from: controller`): http, tls, dns … */
export interface ControllerStep<P, D> extends StepBase<P> {
  readonly runs: 'controller';
  /** Must settle when `signal` aborts. What it throws becomes `unknown`, never `ok`. */
  call(params: P, context: CallContext): Promise<D>;
  judge(data: D, params: P, context: JudgeContext): Judgement;
}

export interface CallContext {
  readonly host: { readonly name: string; readonly address: string };
  readonly signal: AbortSignal;
  /**
   * Present with `from: host`: opens a TCP connection from the host, which looks the name up, too. Rejects like
   * `net.connect`, with the `code` of the error (`ECONNREFUSED` …) where the host tells it.
   */
  readonly dial?: Dial;
  /** Asks an SSH server for its host keys, over connections that `connect` makes. Nobody logs in. */
  readonly hostKeys?: HostKeys;
}

export type Dial = (to: { readonly address: string; readonly port: number }, signal: AbortSignal) => Promise<Duplex>;

export type HostKeys = (
  server: { readonly address: string; readonly port: number; readonly seconds: number },
  connect: (signal: AbortSignal) => Promise<Duplex>,
  signal: AbortSignal,
) => Promise<
  | { readonly keys: readonly HostKey[] }
  | { readonly failure: { readonly reason: string; readonly detail: string; readonly proven: boolean } }
>;

/** A key that a server showed. Whether it is the right one, the asker has to know. */
export interface HostKey {
  readonly type: string;
  /** Base64, as known_hosts has it. */
  readonly key: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds of every params and data type
export type StepKind = HostStep<any, any> | ControllerStep<any, any>;

export function defineHostStep<P, D>(step: Omit<HostStep<P, D>, 'runs'>): HostStep<P, D> {
  return { ...step, runs: 'host' };
}

export function defineControllerStep<P, D>(step: Omit<ControllerStep<P, D>, 'runs'>): ControllerStep<P, D> {
  return { ...step, runs: 'controller' };
}

/** Decodes host text: invalid UTF-8 becomes U+FFFD, the bytes stay in the artefact. */
export function text(bytes: Buffer): string {
  return bytes.toString('utf8');
}
