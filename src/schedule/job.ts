import type { Calendar } from './calendar.js';

/** A run that something else shall start again and again: all that a target needs to know. */
export interface ScheduledJob {
  /** Letters, digits, `-`: name of files, units, locks. */
  readonly name: string;
  /** Name of the runbook. */
  readonly title: string;
  readonly calendar: Calendar;
  /** Longest wait before the start, in seconds, the same every time on one machine. */
  readonly jitter: number;
  /** Seconds that the run itself may take; opsctl keeps to them. */
  readonly deadline: number;
  /** Words of the command line after `opsctl`. */
  readonly args: readonly string[];
  /** Words that start opsctl on this machine: absolute paths of node and opsctl. */
  readonly program: readonly string[];
  /** Where to run it: absolute for this machine, from the root of the repository (`.`) for a CI. */
  readonly folder: string;
  readonly user: string;
  /** Who gets mail, when it is not the user. */
  readonly mailTo?: string;
  /** Shell text that installs opsctl in a CI. */
  readonly install: string;
  /** Environment variables that hold secrets of the runbook. */
  readonly secrets: readonly string[];
  /** Some steps look at the machine that the job runs on. */
  readonly measuresItself: boolean;
  /** The known host keys are in the project, not to be supplied. */
  readonly bringsHostKeys: boolean;
  /** Folders outside its own state that a run writes to. */
  readonly writes: readonly string[];
  /** The command line that made the files. */
  readonly madeBy: string;
}

export interface ScheduledFile {
  /** Where it belongs: absolute on this machine, from the root of the repository for a CI. */
  readonly path: string;
  readonly text: string;
  readonly mode: '0644' | '0755';
}

export interface Schedule {
  readonly files: readonly ScheduledFile[];
  /** What has to be there before the files are: shell lines, or sentences after `#`. */
  readonly prepare: readonly string[];
  /** What to do when they are in their places. */
  readonly next: readonly string[];
}

/** One target. It makes text and touches nothing. */
export interface ScheduleTarget {
  /** Where the job runs: on this machine, or in a CI with a checkout of the repository. */
  readonly place: 'machine' | 'ci';
  /** Reports that it wants from every run, `FORMAT` or `FORMAT=FILE`. */
  readonly outputs: readonly string[];
  render(job: ScheduledJob): Schedule;
}

/** Folder of the reports in a CI. */
export const reportsFolder = 'opsctl-reports';

/** Longest time for a run that does not keep to its deadline, in seconds. */
export const grace = 120;

/** A comment must stay on its line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}
