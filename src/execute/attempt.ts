import type { Evidence } from '../result/result.schema.js';
import type { FoundIssue, HostStep, JudgeContext, Judgement, StepKind } from '../steps/step.js';
import { probeStatus, text, UnreadableOutput } from '../steps/step.js';
import type { TransportError } from '../transports/transport.js';
import type { Capture, ProbeFrames } from './payload/frames.js';
import type { ShellRefusal } from './shell.js';

/** How one try of one step ended, before the engine adds names and times. */
export interface Attempt {
  readonly outcome: Judgement['outcome'] | 'unreachable' | 'refused';
  readonly reason: string;
  readonly summary: string;
  readonly metrics?: Judgement['metrics'];
  readonly findings?: readonly FoundIssue[];
  readonly keep?: unknown;
  readonly data?: unknown;
  readonly evidence?: Evidence;
  readonly stdout?: Capture;
  readonly stderr?: Capture;
  /** True when nothing ran, so that it does not count as a try. */
  readonly neverStarted?: boolean;
}

/** Longest part of a stream that a result carries; the rest goes to an artefact. */
export const excerptBytes = 4_096;

/** Reads what a probe's frames hold. Anything but an end frame and an exit status is unknown, never ok. */
export function judgeFrames(
  kind: HostStep<unknown, unknown>,
  params: unknown,
  frames: ProbeFrames,
  context: JudgeContext,
  seconds: number,
): Attempt {
  const evidence = kind.hidesOutput ? { exitStatus: frames.exitStatus ?? null } : evidenceOf(frames);
  const captures = kind.hidesOutput ? {} : { stdout: frames.stdout, stderr: frames.stderr };
  const unknown = (reason: string, summary: string): Attempt => ({
    outcome: 'unknown',
    reason,
    summary,
    evidence,
    ...captures,
  });
  if (frames.ended === 'timeout')
    return unknown('timeout', `no result within ${seconds} s; what was running was killed`);
  const status = frames.exitStatus;
  if (!frames.complete || frames.ended === undefined)
    return unknown('no-end-frame', 'the end of its output never came');
  if (status === undefined) return unknown('no-end-frame', 'its exit status never came');
  if (!kind.rawStatus) {
    if (status > 128) return unknown('killed', `it was killed by signal ${status - 128}`);
    const said = lastLine(frames.stderr);
    if (status === probeStatus.notApplicable) {
      return {
        outcome: 'skipped',
        reason: 'not-applicable',
        summary: said || 'does not apply here',
        evidence,
        ...captures,
      };
    }
    if (status === probeStatus.needsPrivilege)
      return unknown('needs-privilege', said || 'needs more rights on the host');
    if (status === probeStatus.unavailable) return unknown('unavailable', said || 'cannot tell');
    if (status === probeStatus.toolMissing)
      return unknown('tool-missing', said || 'a program that it needs is missing');
    if (frames.stdout.truncated) return unknown('output-too-long', `more than ${frames.stdout.limit} bytes of output`);
  }
  return judgeData(kind, params, context, { evidence, ...captures }, () =>
    kind.parse({ stdout: frames.stdout.head, stderr: frames.stderr.head, exitStatus: status }, params),
  );
}

/** Runs `parse` (or takes a call's data) and `judge`; what they throw is unknown. */
export function judgeData(
  kind: StepKind,
  params: unknown,
  context: JudgeContext,
  rest: Partial<Attempt>,
  read: () => unknown,
): Attempt {
  try {
    const data = read();
    const judgement = kind.judge(data, params, context);
    return { ...rest, ...judgement, data };
  } catch (error) {
    if (error instanceof UnreadableOutput) {
      return {
        ...rest,
        outcome: 'unknown',
        reason: 'unreadable-output',
        summary: `cannot read what the host printed: ${error.message}`,
      };
    }
    return {
      ...rest,
      outcome: 'unknown',
      reason: 'internal-error',
      summary: `${kind.kind} failed: ${(error as Error).message}; please report this`,
    };
  }
}

/** A connection that failed, as the result of a step. `started` tells whether the step may have run. */
export function lostAttempt(error: TransportError, started: boolean): Attempt {
  const summary = error.hint ? `${error.message}; ${error.hint}` : error.message;
  if (started) return { outcome: 'unknown', reason: error.reason, summary };
  if (error.reason === 'aborted')
    return { outcome: 'skipped', reason: 'stopped', summary: 'not run: the run was stopped', neverStarted: true };
  const outcome = error.outcome === 'refused' ? 'refused' : 'unreachable';
  return { outcome, reason: error.reason, summary, neverStarted: true };
}

/** A login whose shell or sudo would not start: nothing ran. */
export function refusedAttempt({ reason, summary }: ShellRefusal): Attempt {
  const outcome = noShell.includes(reason) ? 'unreachable' : 'unknown';
  return { outcome, reason, summary, neverStarted: true };
}

/** Refusals that no other step on the host escapes. */
export const noShell: readonly ShellRefusal['reason'][] = ['no-login', 'forced-command', 'no-shell'];

function evidenceOf(frames: ProbeFrames): Evidence {
  return {
    exitStatus: frames.exitStatus ?? null,
    ...(frames.stdout.bytes > 0 && { stdout: excerpt(frames.stdout), stdoutBytes: frames.stdout.bytes }),
    ...(frames.stderr.bytes > 0 && { stderr: excerpt(frames.stderr), stderrBytes: frames.stderr.bytes }),
  };
}

function excerpt(capture: Capture): string {
  if (capture.bytes <= excerptBytes) return text(capture.head);
  const tail = capture.truncated ? capture.tail : capture.head.subarray(-1_024);
  const head = capture.head.subarray(0, excerptBytes - 1_024);
  return `${text(head)}\n… ${capture.bytes - head.length - tail.length} bytes left out …\n${text(tail)}`;
}

function lastLine(capture: Capture): string {
  return text(capture.head).trimEnd().split('\n').at(-1)?.trim().slice(0, 300) ?? '';
}
