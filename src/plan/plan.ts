import type { Trend } from '../documents/trend.js';
import type { ConnectSettings, Host } from '../inventory/inventory.js';
import type { Severity } from '../result/result.schema.js';
import type { Effect, StepKind } from '../steps/step.js';
import type { Requirement } from './requirement.js';

/**
 * What will happen, decided before any host is contacted: frozen, printable, without I/O. Steps are shared
 * by all hosts; what differs from host to host is in the rounds.
 */
export interface Plan {
  readonly runbook: { readonly name: string; readonly file?: string; readonly sha256?: string };
  readonly mode: 'run' | 'dry-run';
  readonly hosts: readonly HostPlan[];
  /** Seconds for the whole run. */
  readonly timeout?: number;
  /** Every step once, in order. */
  readonly steps: readonly PlannedStep[];
  readonly params: Readonly<Record<string, unknown>>;
}

export interface HostPlan {
  readonly host: Host;
  readonly connect: ConnectSettings;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly body: readonly Segment[];
}

/** What a host does in order: rounds, and groups that catch failures. */
export type Segment = Round | Group;

/** Steps that one payload can carry (`host`), or that look from here (`controller`), or one changing step (`change`). */
export interface Round {
  readonly type: 'round';
  readonly carrier: 'host' | 'controller' | 'change';
  readonly sudo: boolean;
  readonly items: readonly PlannedItem[];
}

export interface Group {
  readonly type: 'group';
  readonly name: string;
  readonly body: readonly Segment[];
  readonly rescue: readonly Segment[];
  readonly always: readonly Segment[];
}

/** One step on one host, and one item of a loop. */
export interface PlannedItem {
  readonly step: PlannedStep;
  /** As root: said by the step, a group around it, the runbook or the host. */
  readonly sudo: boolean;
  /** The loop item, when the step has `each`. */
  readonly item?: LoopItem;
  /** Ready parameters; absent when they need results of earlier steps. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Decided already: the step does not run here. */
  readonly skip?: { readonly reason: string; readonly summary: string };
  /** `when`, `with` or `each` need results of earlier steps: decided when the round comes. */
  readonly deferred: boolean;
  /** Set where the item is the verdict on a group with `require`: what it counts, in the order of the runbook. */
  readonly members?: readonly PlannedItem[];
  /** How many more steps the verdict would count, had tags not left them out. */
  readonly leftOut?: number;
}

export interface LoopItem {
  readonly value: unknown;
  /** Its place in the loop, from 0. */
  readonly index: number;
  /** Its name in results. */
  readonly label: string;
}

/** A step as compiled from the runbook, the same for every host. */
export interface PlannedStep {
  /** Stable key in results: the id, or the place such as `3` or `deploy/2`. */
  readonly key: string;
  readonly id?: string;
  /** Where `steps.ID` of this step looks: the ids of one runbook (an included one has its own). */
  readonly scope: string;
  readonly name: string;
  readonly uses: string;
  readonly kind: StepKind;
  readonly effect: Effect;
  /** Where it looks from: what the runbook says, or the kind. */
  readonly from: 'host' | 'controller';
  /** Seconds. */
  readonly timeout: number;
  readonly onFailure: 'stop' | 'continue';
  /** What the runbook says; undefined leaves it to the host. */
  readonly sudo: boolean | undefined;
  /** Narrower host patterns, of the step and of groups around it. */
  readonly hosts: readonly string[];
  readonly sensitive: boolean;
  readonly severity?: Severity;
  readonly controls: readonly string[];
  readonly tags: readonly string[];
  readonly retry?: { readonly attempts: number; readonly every: number };
  /** The step has `each`. */
  readonly loops: boolean;
  /** Keys of earlier steps that its expressions read. */
  readonly needs: ReadonlySet<string>;
  /** Steps that must have succeeded, or this one is not judged. */
  readonly dependsOn: readonly NeededStep[];
  /** It is ok where its kind says failed, and the other way round. */
  readonly expectsFailure: boolean;
  /** Set on the verdict on a group. */
  readonly require?: Requirement;
  /** Its expressions read names that differ from host to host (`host`, `vars`). */
  readonly perHost: boolean;
  /** Its expressions read `steps`: they wait until earlier steps have ended. */
  readonly readsSteps: boolean;
  /** `with` holds no expression: the same parameters everywhere. */
  readonly constant: boolean;
  readonly resolve: StepResolver;
}

export interface NeededStep {
  /** As the runbook names it. */
  readonly id: string;
  readonly key: string;
}

/** The expressions of a step. All throw EvaluationError when host data does not fit; nothing is evaluated twice. */
export interface StepResolver {
  /** False when a `when` of the step or of a group around it does not hold. */
  applies(context: EvaluationContext): boolean;
  /** False when a condition does not hold that is not about the items of a loop: the list is not asked for then. */
  loopApplies(context: EvaluationContext): boolean;
  items(context: EvaluationContext): readonly unknown[] | undefined;
  /** Renders and validates `with`. */
  params(context: EvaluationContext): Promise<Readonly<Record<string, unknown>>>;
  /** Numbers to compare with earlier runs; undefined when the step names none. */
  trends?(context: EvaluationContext): readonly Trend[];
  /** `retry.until`; undefined when the step has none. */
  until?(context: EvaluationContext): boolean;
}

export interface EvaluationContext {
  readonly host: Host;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly run: Readonly<Record<string, unknown>>;
  /** Results by scope, then by step id. */
  readonly steps: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly item?: unknown;
  readonly result?: unknown;
}
