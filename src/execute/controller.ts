import type { HostPlan, PlannedItem } from '../plan/plan.js';
import type { ControllerStep } from '../steps/step.js';
import { type Attempt, judgeData } from './attempt.js';
import type { RunContext } from './context.js';

/** How long a call that ignores its signal may go on before it is left alone. */
const grace = 1_000;

/** Looks at a host from here. What the call throws is unknown; a call that ignores its signal is cut off. */
export async function callItem(item: PlannedItem, params: unknown, plan: HostPlan, run: RunContext): Promise<Attempt> {
  const kind = item.step.kind as ControllerStep<unknown, unknown>;
  const context = { host: plan.host.name, now: run.now() };
  const deadline = AbortSignal.timeout(item.step.timeout * 1000);
  const signal = AbortSignal.any([deadline, run.signal]);
  const host = { name: plan.host.name, address: run.targetOf(plan.host.name).address };
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
    const data = await Promise.race([kind.call(params, { host, signal }), cutOff]);
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
