import type { Plan } from '../plan/plan.js';
import type { RunContext } from './context.js';
import { runHost } from './host.js';

/** Hosts in flight when nobody says otherwise; beyond it each host only waits longer. */
export const defaultConcurrency = 100;

/**
 * Runs a plan: every host once, so many at a time. Resolves when all have ended. After a stop the remaining
 * hosts contact nothing and record each of their steps as not run.
 */
export async function executePlan(plan: Plan, run: RunContext, concurrency: number): Promise<void> {
  const queue = plan.hosts.values();
  const worker = async () => {
    for (const host of queue) await runHost(host, run);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, plan.hosts.length) }, worker));
}
