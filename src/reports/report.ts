import type { RunResult } from '../result/result.schema.js';

/** A report format: a pure function of the result. Adding one is a file here and a line in index.ts. */
export interface Report {
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  /** Machine formats own stdout alone: no other text is written there. */
  readonly machine: boolean;
  /** Mode of a file, where the reader is another account. Without it, only the owner may read. */
  readonly fileMode?: number;
  render(result: RunResult, view: ReportView): string;
}

/** How the medium looks. Files and pipes get no colour and a width of 100. */
export interface ReportView {
  readonly color: boolean;
  readonly width: number;
  /** Show steps that are ok, too, not only what needs attention. */
  readonly verbose: boolean;
}
