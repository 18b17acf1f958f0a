import { createHash } from 'node:crypto';
import type { Secret } from '../../secrets/secret.js';
import { type Script, script } from '../../steps/script.js';
import { callText, shellQuote } from '../payload/payload.js';

const identity = script('./identity.sh', import.meta.url);
const runner = script('./runner.sh', import.meta.url);
const watch = script('./watch.sh', import.meta.url);

/** Statuses of watch.sh above the range of a process. */
export const jobStatus = { interrupted: 901, locked: 902, running: 903, noState: 904, neverStarted: 905 } as const;

/** The name of a changing step's job on a host: the same for every try of the same run, so that it runs at most once. */
export function jobId(runId: string, host: string, step: string): string {
  return `${runId}-${createHash('sha256').update(`${host}\0${step}`).digest('hex').slice(0, 12)}`;
}

/** The text that `sh -s` reads to start a job, or to watch it when it is there. Holds revealed secrets: channel only. */
export function buildJobPayload(options: {
  readonly nonce: string;
  readonly id: string;
  readonly seconds: number;
  readonly script: Script;
  readonly args: readonly (string | Secret)[];
}): string {
  const work = [
    `job_work() {\n${options.script.text}\n}`,
    `work() {\n${callText('job_work', options.args)}\n}`,
    'run_job; exit',
  ];
  return [
    `unset N; N=${options.nonce} JOB=${options.id} SECONDS_MAX=${options.seconds}`,
    `RUNNER=${shellQuote([identity.text, runner.text, ...work].join('\n'))}`,
    identity.text,
    watch.text,
    'watch_job; exit',
    '',
  ].join('\n');
}
