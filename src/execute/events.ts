import type { Change, HostResult, RunResult, StepResult, Waiver } from '../result/result.schema.js';

/**
 * What happens during a run, as data. The journal writes them, the live view shows them, the result is
 * folded from them. Times are UTC ISO 8601.
 */
export type RunEvent =
  | {
      readonly type: 'run-start';
      readonly at: string;
      readonly run: Omit<RunResult['run'], 'finishedAt' | 'duration'>;
      readonly hosts: readonly HostStart[];
      /** Keys of all steps in the order of the runbook, which is the order of results. */
      readonly steps?: readonly string[];
    }
  | { readonly type: 'host-connect'; readonly at: string; readonly host: string }
  | {
      readonly type: 'host-connected';
      readonly at: string;
      readonly host: string;
      readonly hostKeys: readonly string[];
    }
  | {
      readonly type: 'step-start';
      readonly at: string;
      readonly host: string;
      readonly step: string;
      readonly name: string;
      readonly effect: 'read' | 'change';
      readonly job?: string;
    }
  | {
      readonly type: 'step-retry';
      readonly at: string;
      readonly host: string;
      readonly step: string;
      readonly attempt: number;
      readonly reason: string;
    }
  | {
      readonly type: 'step-end';
      readonly at: string;
      readonly host: string;
      readonly result: StepResult;
      /** Place of the item in its loop, from 0. */
      readonly index?: number;
    }
  | {
      readonly type: 'host-end';
      readonly at: string;
      readonly host: string;
      readonly outcome: HostResult['outcome'];
      readonly reason?: string;
      readonly summary?: string;
      /** The jump host that could not be reached. */
      readonly hop?: string;
      /** That it could not be worked on is accepted. */
      readonly waived?: Waiver;
      /** The same compared with the last run. */
      readonly change?: Change;
      readonly since?: string;
    }
  | { readonly type: 'warning'; readonly at: string; readonly message: string }
  | { readonly type: 'run-end'; readonly at: string; readonly duration: number; readonly stopped?: string };

export interface HostStart {
  readonly name: string;
  readonly address: string;
  readonly transport: string;
  /** Keys of the steps planned for this host, loop items not yet known. */
  readonly steps: number;
  /** Hosts that it is behind, by the inventory. */
  readonly parents?: readonly string[];
}

export type EventListener = (event: RunEvent) => void;
