import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { RunEvent } from '../../src/execute/events.js';
import { readJournal } from '../../src/journal/journal.js';
import type { RunResult, StepResult } from '../../src/result/result.schema.js';
import type { Lab } from './lab.js';
import type { Finished, ProcessOptions, Started } from './process.js';

/** What a run of opsctl on a lab came to. */
export interface LabRun {
  readonly finished: Finished;
  readonly result: RunResult;
  /** `OUTCOME REASON` of a step on a host. */
  outcome(host: string, step: string): string;
  step(host: string, step: string): StepResult;
  /** `OUTCOME REASON` of every step of a host. */
  outcomes(host: string): readonly string[];
}

type Step = Readonly<Record<string, unknown>> & { readonly id: string; readonly uses: string };

/** Writes a runbook into the lab's project folder and gives its name. */
export function writeRunbook(
  lab: Lab,
  name: string,
  steps: readonly Step[],
  more: Readonly<Record<string, unknown>> = {},
) {
  const file = `${name}.yaml`;
  writeFileSync(join(lab.folder, 'project', file), stringify({ name, ...more, steps }));
  return file;
}

/** A step that runs shell text as a read-only command. */
export function look(id: string, command: string, more: Readonly<Record<string, unknown>> = {}): Step {
  return { id, uses: 'run.command', with: { effect: 'read', command }, ...more };
}

/** A step that runs shell text as a change. */
export function change(id: string, command: string, more: Readonly<Record<string, unknown>> = {}): Step {
  return { id, uses: 'run.command', with: { effect: 'change', command }, ...more };
}

/** Runs a runbook to its end. */
export async function runOnLab(
  lab: Lab,
  runbook: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<LabRun> {
  return readRun(await lab.opsctl(['run', runbook, '-o', 'json', ...args], options));
}

/** Starts a runbook; `readRun(await started.finished)` gives what it came to. */
export function startOnLab(lab: Lab, runbook: string, args: readonly string[] = []): Started {
  return lab.startOpsctl(['run', runbook, '-o', 'json', ...args]);
}

export function readRun(finished: Finished): LabRun {
  let result: RunResult;
  try {
    result = JSON.parse(finished.stdout) as RunResult;
  } catch (cause) {
    throw new Error(`no result, exit status ${finished.code}:\n${finished.stderr}${finished.stdout}`, { cause });
  }
  const stepsOf = (name: string) => result.hosts.find((host) => host.name === name)?.steps ?? [];
  const step = (host: string, key: string): StepResult => {
    const found = stepsOf(host).find((candidate) => candidate.step === key);
    if (!found) throw new Error(`no result of ${key} on ${host}`);
    return found;
  };
  const named = ({ outcome, reason }: StepResult) => `${outcome} ${reason}`;
  return {
    finished,
    result,
    step,
    outcome: (host, key) => named(step(host, key)),
    outcomes: (host) => stepsOf(host).map(named),
  };
}

/** The events of a run as its journal holds them. */
export function journalOf(lab: Lab, runId: string): readonly RunEvent[] {
  const folder = join(lab.folder, 'state/opsctl/runs', runId);
  const file = readdirSync(folder).find((name) => name.startsWith('journal'));
  if (!file) throw new Error(`no journal in ${folder}`);
  return readJournal(join(folder, file));
}
