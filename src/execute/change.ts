import type { Secret } from '../secrets/secret.js';
import type { HostStep } from '../steps/step.js';
import { type Attempt, judgeFrames, lostAttempt } from './attempt.js';
import type { RunContext } from './context.js';
import { buildJobPayload, jobId, jobStatus } from './job/job.js';
import { FrameReader } from './payload/frames.js';
import { asTransportError, type HostSession, type ReadyItem } from './session.js';
import { newNonce, startShell } from './shell.js';

const captureLimit = 1024 * 1024;
/** How long past the step's own deadline the host may stay silent. */
const silenceGrace = 15_000;

/**
 * Runs a changing step as a detached job, at most once per run id: the connection only watches. `announce`
 * is called before the first byte goes to the host, so that the journal knows the job whatever happens then.
 */
export async function runChange(
  { item, params }: ReadyItem,
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
  let connection: Awaited<ReturnType<HostSession['connect']>>;
  try {
    connection = await session.connect();
  } catch (error) {
    const lost = lostAttempt(asTransportError(error), false);
    // A job of an earlier run may be at work there: that it cannot be asked now proves nothing.
    return known ? { ...lost, outcome: 'unknown', neverStarted: false } : lost;
  }
  announce(id);
  const nonce = newNonce();
  const frames = new FrameReader(nonce, 1, captureLimit, { onFinish: () => shell?.complete() });
  let shell: Awaited<ReturnType<typeof startShell>> | undefined;
  const payload = buildJobPayload({
    nonce,
    id,
    mode: 'start',
    seconds,
    script: kind.probe,
    args: kind.args(params) as readonly (string | Secret)[],
  });
  try {
    shell = await startShell(connection, payload, sudo ? session.privilege : undefined, {
      onStdout: (chunk) => frames.onStdout(chunk),
      onStderr: (chunk) => frames.onStderr(chunk),
      sawFrame: () => frames.began,
    });
    if (frames.finished) shell.complete();
  } catch (error) {
    return lostAttempt(asTransportError(error), false);
  }
  const opened = shell;
  const stop = () => opened.kill();
  const timer = setTimeout(stop, seconds * 1000 + silenceGrace);
  run.signal.addEventListener('abort', stop, { once: true });
  const exit = await opened.exit;
  clearTimeout(timer);
  run.signal.removeEventListener('abort', stop);
  frames.end();

  const probe = frames.probes[0];
  const refusal = opened.refusal();
  if (refusal) return { outcome: 'unknown', reason: refusal.reason, summary: refusal.summary, neverStarted: true };
  const resume = `\`opsctl resume ${run.runId}\` asks the host how it ended`;
  if (!probe?.complete || probe.exitStatus === undefined) {
    if (exit.lost) session.failure = exit.lost;
    const why = run.signal.aborted
      ? `stopped (${String(run.signal.reason)})`
      : (exit.lost?.message ?? 'the connection ended early');
    return {
      outcome: 'unknown',
      reason: exit.lost?.reason ?? 'no-end-frame',
      summary: `${why}; job ${id} goes on without us, ${resume}`,
    };
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
