import type { HostStep } from '../steps/step.js';
import { type Connection, TransportError } from '../transports/transport.js';
import { type Attempt, judgeFrames, lostAttempt, refusedAttempt } from './attempt.js';
import type { RunContext } from './context.js';
import { buildJobPayload, jobId, jobStatus } from './job/job.js';
import { FrameReader } from './payload/frames.js';
import type { ReadyItem } from './ready.js';
import { asTransportError, type HostSession } from './session.js';
import { newNonce, type ShellRun, startShell } from './shell.js';

const captureLimit = 1024 * 1024;
/** How long past the step's own deadline the host may stay silent. */
const silenceGrace = 15_000;

/**
 * Runs a changing step as a detached job, at most once per run id: the connection only watches. `announce`
 * is called before the first byte goes to the host, so that the journal knows the job whatever happens then.
 */
export async function runChange(
  { item, params, args }: ReadyItem,
  session: HostSession,
  sudo: boolean,
  run: RunContext,
  host: string,
  key: string,
  announce: (job: string) => void,
): Promise<Attempt> {
  const kind = item.step.kind as HostStep<unknown, unknown>;
  const seconds = Math.max(1, Math.ceil(item.step.timeout));
  const known = run.earlierJob(host, key);
  const id = known ?? jobId(run.runId, host, key);
  // A job of an earlier run may be at work there: that it cannot be asked now proves nothing.
  const notAsked = (attempt: Attempt): Attempt =>
    known && attempt.reason !== 'stopped' ? { ...attempt, outcome: 'unknown', neverStarted: false } : attempt;
  let connection: Connection;
  try {
    connection = await session.connect();
  } catch (error) {
    return notAsked(lostAttempt(asTransportError(error), false));
  }
  announce(id);
  // Stopped meanwhile, or the journal could not take it: what is not on record does not begin.
  if (run.signal.aborted) return lostAttempt(new TransportError('aborted', 'unreachable', 'stopped'), false);
  const nonce = newNonce();
  let shell: ShellRun | undefined;
  const frames = new FrameReader(nonce, 1, captureLimit, { onFinish: () => shell?.complete() });
  const payload = buildJobPayload({ nonce, id, seconds, script: kind.probe, args });
  try {
    shell = await startShell(connection, payload, sudo ? session.privilege : undefined, {
      onStdout: (chunk) => frames.onStdout(chunk),
      onStderr: (chunk) => frames.onStderr(chunk),
      sawFrame: () => frames.began,
    });
    if (frames.finished) shell.complete();
  } catch (error) {
    return notAsked(lostAttempt(asTransportError(error), false));
  }
  const opened = shell;
  let overdue = false;
  const stop = () => opened.kill();
  const timer = setTimeout(
    () => {
      overdue = true;
      stop();
    },
    seconds * 1100 + silenceGrace,
  );
  run.signal.addEventListener('abort', stop, { once: true });
  if (run.signal.aborted) stop();
  const exit = await opened.exit;
  clearTimeout(timer);
  run.signal.removeEventListener('abort', stop);
  frames.end();

  const probe = frames.probes[0];
  const refusal = opened.refusal();
  if (refusal) return notAsked(refusedAttempt(refusal));
  const resume = `\`opsctl resume ${run.runId}\` asks the host how it ended`;
  if (!probe?.complete || probe.exitStatus === undefined) {
    if (exit.lost) session.failure = exit.lost;
    const [reason, why] = run.signal.aborted
      ? ['aborted', `stopped (${String(run.signal.reason)})`]
      : overdue
        ? ['timeout', `no word from the host for ${seconds} s and more`]
        : [exit.lost?.reason ?? 'no-end-frame', exit.lost?.message ?? 'the connection ended early'];
    return { outcome: 'unknown', reason, summary: `${why}; job ${id} goes on without us, ${resume}` };
  }
  const said = probe.stderr.head.toString('utf8').trim();
  switch (probe.exitStatus) {
    case jobStatus.interrupted:
      return {
        outcome: 'unknown',
        reason: 'interrupted',
        summary: 'it was begun and cut off (reboot or kill); look at the host before you run it again',
      };
    case jobStatus.locked:
      return {
        outcome: 'skipped',
        reason: 'locked',
        summary: `another run is changing this host: ${said.slice(0, 200) || 'holder unknown'}`,
        neverStarted: true,
      };
    case jobStatus.running:
      return {
        outcome: 'unknown',
        reason: 'timeout',
        summary: `still running after ${seconds} s as job ${id}, not killed; ${resume}`,
      };
    case jobStatus.noState:
      return {
        outcome: 'failed',
        reason: 'no-state-folder',
        summary: "the host has no place for the job's state (disk full or read-only); nothing was started",
        neverStarted: true,
      };
    case jobStatus.neverStarted:
      return {
        outcome: 'failed',
        reason: 'never-started',
        summary: 'the job could not be started; nothing was changed',
        neverStarted: true,
      };
    default:
      return judgeFrames(kind, params, probe, { host, now: run.now() }, seconds);
  }
}
