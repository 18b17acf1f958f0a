import type { ControllerStep, Judgement } from '../../src/steps/step.js';
import { withDefaults } from './probe.js';

/** Asks as the engine does, and judges; the data stay beside the judgement. */
export async function look<D>(
  // biome-ignore lint/suspicious/noExplicitAny: the params of any kind
  kind: ControllerStep<any, D>,
  given: object,
  signal: AbortSignal = AbortSignal.timeout(20_000),
): Promise<Judgement & { readonly data: D }> {
  const params = withDefaults(kind, given);
  const data = await kind.call(params, { host: { name: 'web1', address: '127.0.0.1' }, signal });
  return { data, ...kind.judge(data, params, { host: 'web1', now: new Date() }) };
}
