import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, wrong } from '../issues.js';

const modes = ['enforcing', 'permissive', 'disabled'] as const;
type Mode = (typeof modes)[number];

const params = {
  type: 'object',
  properties: {
    mode: { enum: modes, default: 'enforcing', description: 'What it should do now and after the next start.' },
    policy: { type: 'string', minLength: 1, description: 'Policy that should be set.', examples: ['targeted'] },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface SelinuxData {
  readonly mode: Mode;
  /** What /etc/selinux/config says; null where it does not say. */
  readonly configured: Mode | null;
  readonly policy: string;
}

export default defineHostStep<FromSchema<typeof params>, SelinuxData>({
  kind: 'check.selinux',
  summary: 'SELinux enforces its policy, now and after a restart',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    const read = (name: string) => modes.find((mode) => mode === values.get(name)?.toLowerCase());
    const mode = read('mode');
    if (!mode) throw new UnreadableOutput(`not a mode of SELinux: ${values.get('mode') ?? 'nothing'}`);
    return { mode, configured: read('configured') ?? null, policy: values.get('policy') ?? '' };
  },
  judge({ mode, configured, policy }, given) {
    const issues = [
      ...(mode !== given.mode ? [wrong(`selinux-${mode}`, `is ${mode}, should be ${given.mode}`)] : []),
      ...(configured !== null && configured !== given.mode && configured !== mode
        ? [wrong('selinux-configured', `will be ${configured} after the next start, should be ${given.mode}`)]
        : []),
      ...(given.policy !== undefined && given.policy !== policy
        ? [wrong('wrong-policy', `has the policy ${policy || '(none)'}, should have ${given.policy}`)]
        : []),
    ];
    return judgeIssues(issues, { subject: 'SELinux', calm: `is ${mode}${policy ? ` (${policy})` : ''}` });
  },
});
