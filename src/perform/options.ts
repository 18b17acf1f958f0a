import type { RunEvent } from '../execute/events.js';
import type { FailOn } from '../result/exit.js';
import type { RunResult } from '../result/result.schema.js';

/** How a run is asked for: what `run`, `check`, `exec` and `resume` turn their flags into. */
export interface RunOptions extends ScopeOptions {
  /** A file to load, or a runbook that a command made up. */
  readonly runbook: string | { readonly name: string; readonly text: string };
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly skipTags?: readonly string[];
  /** `FORMAT[=FILE]`, several. */
  readonly outputs?: readonly string[];
  readonly mode: 'run' | 'dry-run';
  /** Changes need no confirmation. */
  readonly yes?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** Hosts in flight at once. */
  readonly concurrency?: number;
  /** Deadline of the whole run, such as `30m`. */
  readonly timeout?: string;
  /** `--waivers`: in place of the file of the project. */
  readonly waivers?: string;
  readonly failOn?: FailOn;
  readonly resume?: ResumedRun;
  /** Shows the result on stdout in place of a report. */
  readonly show?: (result: RunResult) => string;
  /** Takes the result in place of all reports: the run is a part of something else. Goes with `quiet`. */
  readonly collect?: (result: RunResult) => void;
}

/** Which project, which inventory, which hosts, how to reach them. Shared by every command that selects hosts. */
export interface ScopeOptions {
  /** `--project`: the project folder, also when others may write to it. */
  readonly project?: string;
  readonly inventory?: readonly string[];
  /** `-l`: narrows the hosts. Empty text is an error, never "all". */
  readonly limit?: string;
  /** `-u`: login name, above the inventory's. */
  readonly user?: string;
  readonly transport?: 'local' | 'ssh' | 'openssh';
  readonly trust?: 'strict' | 'accept-new';
}

export interface ResumedRun {
  readonly id: string;
  /** What the runbook was when the run began. */
  readonly sha256: string;
  readonly events: readonly RunEvent[];
}
