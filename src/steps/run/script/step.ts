import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { script } from '../../script.js';
import { plainText, secrecyOf, type TextOrSecret } from '../../secret-param.js';
import { defineHostStep } from '../../step.js';
import { judgeRun, type RunData, readRun } from '../outcome.js';
import { runParams } from '../params.js';

const params = {
  type: 'object',
  properties: {
    script: {
      type: 'string',
      minLength: 1,
      maxLength: 1048576,
      description: 'Text of the script, up to 1 MiB. Nothing is written on the host.',
      examples: ['set -eu\ncd "$1"\n./migrate'],
    },
    ...runParams,
  },
  required: ['script', 'effect'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'args'> & { readonly args: readonly TextOrSecret[] };

export default defineHostStep<Params, RunData>({
  kind: 'run.script',
  summary: 'Run a script of the runbook',
  params,
  effect: ({ effect }) => effect,
  timeout: 300,
  rawStatus: true,
  probe: script('./probe.sh', import.meta.url),
  args: ({ shell, script, args }) => [shell, script, secrecyOf(args), ...args.map(plainText)],
  parse: readRun,
  judge: judgeRun,
});
