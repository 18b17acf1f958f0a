import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$',
      description: 'Name of the module; `-` and `_` are the same.',
      examples: ['br_netfilter', 'usb-storage'],
    },
    state: { enum: ['loaded', 'absent'], default: 'loaded', description: 'State that it should be in.' },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface KernelModuleData {
  /** `builtin` is part of the kernel; `changing` is being loaded or unloaded. */
  readonly state: 'loaded' | 'changing' | 'builtin' | 'absent';
}

export default defineHostStep<FromSchema<typeof params>, KernelModuleData>({
  kind: 'check.kernel-module',
  summary: 'A module of the kernel is loaded, or is not',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ name }) => [name.replaceAll('-', '_')],
  parse(output) {
    expectSuccess(output);
    const [line] = tabbedLines(output);
    switch (line?.[0]) {
      case 'builtin':
      case 'absent':
        return { state: line[0] };
      case 'loaded':
        return { state: line[1].split(' ')[4] === 'Live' ? 'loaded' : 'changing' };
      default:
        throw new UnreadableOutput('the state of the module is missing');
    }
  },
  judge({ state }, { name, state: wanted }) {
    const text = {
      loaded: 'is loaded',
      changing: 'is being loaded or unloaded',
      builtin: 'is part of the kernel',
      absent: 'is not loaded',
    }[state];
    const good = wanted === 'absent' ? state === 'absent' : state === 'loaded' || state === 'builtin';
    if (good) return { outcome: 'ok', reason: 'ok', summary: `module ${name} ${text}` };
    return {
      outcome: 'failed',
      reason: `module-${state}`,
      summary: `module ${name} ${text}, should ${wanted === 'absent' ? 'not be there' : 'be loaded'}`,
    };
  },
});
