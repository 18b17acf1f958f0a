import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { isNewer, sameFlavour } from './kernels.js';

const params = {
  type: 'object',
  properties: {
    outcome: {
      enum: ['warning', 'failed'],
      default: 'warning',
      description: 'Outcome when a restart is due.',
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface RebootRequiredData {
  readonly running: string;
  /** Installed kernels of the kind that runs. */
  readonly kernels: readonly string[];
  /** Why a restart is due; none when it is not. */
  readonly reasons: readonly string[];
}

export default defineHostStep<FromSchema<typeof params>, RebootRequiredData>({
  kind: 'check.reboot-required',
  summary: 'Whether the host waits for a restart, and why',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const all = (name: string) => lines.filter(([key]) => key === name).map(([, value]) => value);
    const [running] = all('running');
    if (!running) throw new UnreadableOutput('the running kernel is missing');
    const kernels = all('kernel').filter((kernel) => sameFlavour(kernel, running));
    const newer = kernels.filter((kernel) => isNewer(kernel, running)).toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
    const packages = [...new Set(all('package'))];
    const reasons = [
      ...(newer[0] ? [`kernel ${running} runs, ${newer[0]} is installed`] : []),
      // Where the kernel is replaced in place, the running one is gone and cannot load modules any more.
      ...(!newer[0] && kernels.length > 0 && !kernels.includes(running)
        ? [`kernel ${running} runs and is no longer installed`]
        : []),
      ...(all('flag').length > 0
        ? [packages.length > 0 ? `asked for by ${packages.slice(0, 5).join(', ')}` : 'the host asks for it']
        : []),
      ...(all('needs-restarting')[0] === '1' ? ['needs-restarting says so'] : []),
    ];
    return { running, kernels, reasons };
  },
  judge({ running, reasons }, { outcome }) {
    return reasons.length > 0
      ? { outcome, reason: 'reboot-required', summary: `a restart is due: ${reasons.join('; ')}` }
      : { outcome: 'ok', reason: 'ok', summary: `no restart is due, kernel ${running}` };
  },
});
