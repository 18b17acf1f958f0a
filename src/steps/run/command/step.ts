import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { commandProbe } from '../../command-probe.js';
import { plainText, secrecyOf, type TextOrSecret } from '../../secret-param.js';
import { defineHostStep } from '../../step.js';
import { judgeRun, type RunData, readRun } from '../outcome.js';
import { runParams } from '../params.js';

const params = {
  type: 'object',
  properties: {
    command: {
      type: 'string',
      minLength: 1,
      maxLength: 100000,
      description: 'Shell text, given to `SHELL -c`. Values belong in `args`.',
      examples: ['uname -r', 'systemctl reload "$1"'],
    },
    ...runParams,
    shell: {
      ...runParams.shell,
      description: 'Shell that runs the text, on the host. For other interpreters there is `run.script`.',
      examples: ['/bin/bash'],
    },
  },
  required: ['command', 'effect'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = Omit<FromSchema<typeof params>, 'args'> & { readonly args: readonly TextOrSecret[] };

export default defineHostStep<Params, RunData>({
  kind: 'run.command',
  summary: 'Run a shell command',
  params,
  effect: ({ effect }) => effect,
  timeout: 300,
  rawStatus: true,
  probe: commandProbe,
  args: ({ shell, command, args }) => [shell, command, secrecyOf(args), ...args.map(plainText)],
  parse: readRun,
  judge: judgeRun,
});
