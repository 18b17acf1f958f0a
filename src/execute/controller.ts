import type { HostPlan } from '../plan/plan.js';
import type { ControllerStep, Dial, HostKeys } from '../steps/step.js';
import { type Attempt, judgeData, lostAttempt } from './attempt.js';
import type { RunContext } from './context.js';
import type { ReadyItem } from './ready.js';
import { asTransportError, HostSession } from './session.js';

/** How long a call that ignores its signal may go on before it is left alone. */
const grace = 1_000;

/**
 * Looks at a host from here, or with `from: host` through it. What the call throws is unknown; a call that ignores
 * its signal is cut off.
 */
export async function callItem(
  ready: ReadyItem,
  plan: HostPlan,
  run: RunContext,
  session: HostSession,
): Promise<Attempt> {
  const { item, params, memory } = ready;
  if (item.step.kind.runs === 'host') return probeHere(ready, plan, run);
  const kind = item.step.kind as ControllerStep<unknown, unknown>;
  const context = { host: plan.host.name, now: run.now(), ...(memory && { memory }) };
  let dial: Dial | undefined;
  // What runs on this machine looks from it already.
  if (item.step.from === 'host' && run.targetOf(plan.host.name).transport !== 'local')
    try {
      const connection = await session.connect();
      dial = connection.dial;
      const summary = `transport ${run.targetOf(plan.host.name).transport} opens no connections from the host`;
      if (!dial) return { outcome: 'unknown', reason: 'cannot-dial', summary };
    } catch (error) {
      return lostAttempt(asTransportError(error), false);
    }
  const deadline = AbortSignal.timeout(item.step.timeout * 1000);
  const signal = AbortSignal.any([deadline, run.signal]);
  // The host looks at itself when no other address is given.
  const address = dial ? 'localhost' : run.targetOf(plan.host.name).address;
  const host = { name: plan.host.name, address };
  let timer: NodeJS.Timeout | undefined;
  let leave = () => {};
  const cutOff = new Promise<never>((_, reject) => {
    leave = () => {
      timer = setTimeout(() => reject(new Error('cut off')), grace);
    };
  });
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  try {
    const call = kind.call(params, { host, signal, hostKeys, ...(dial && { dial }) });
    const data = await Promise.race([call, cutOff]);
    return judgeData(kind, params, context, {}, () => data);
  } catch (error) {
    if (run.signal.aborted)
      return { outcome: 'unknown', reason: 'aborted', summary: `stopped (${String(run.signal.reason)})` };
    if (deadline.aborted)
      return { outcome: 'unknown', reason: 'timeout', summary: `no result within ${item.step.timeout} s` };
    return { outcome: 'unknown', reason: 'call-failed', summary: (error as Error).message };
  } finally {
    signal.removeEventListener('abort', leave);
    clearTimeout(timer);
  }
}

/** The SSH library is loaded by the step that asks, and by no other. */
const hostKeys: HostKeys = async (server, connect, signal) =>
  (await import('../transports/ssh/shown-keys.js')).showHostKeys(server, connect, signal);

/** A probe that runs on this machine, to look at the host from outside. */
async function probeHere(ready: ReadyItem, plan: HostPlan, run: RunContext): Promise<Attempt> {
  // That this machine was reached says nothing about the host.
  const quiet = { ...run, emit: () => {} };
  const session = new HostSession(quiet, plan.host.name, { ...run.targetOf(plan.host.name), transport: 'local' });
  let attempt: Attempt | undefined;
  await session.runRound([ready], false, {
    onStart: () => undefined,
    onEnd: (_, end) => {
      attempt = end;
    },
  });
  await session.close();
  return attempt as Attempt;
}
