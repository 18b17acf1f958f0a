import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_@:-]*(?:[./][A-Za-z0-9_@:-]+)+$',
      description: 'Name of the parameter. With slashes, dots in it are dots: `net/ipv4/conf/eth0.10/forwarding`.',
      examples: ['net.ipv4.ip_forward'],
    },
    value: {
      type: ['string', 'number'],
      description: 'Value that it should have. White space between several numbers counts as one space.',
      examples: [1, '4096 87380 6291456'],
    },
    warning: { ...rangeSchema('Warn when its number is outside this range.'), examples: ['1024:'] },
    critical: { ...rangeSchema('Fail when its number is outside this range.'), examples: ['512:'] },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface KernelParameterData {
  /** Null when the kernel has no such parameter. */
  readonly value: string | null;
}

export default defineHostStep<FromSchema<typeof params>, KernelParameterData>({
  kind: 'check.kernel-parameter',
  summary: 'A parameter of the running kernel (sysctl) has the right value',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { warning: 'count', critical: 'count' }),
  probe: script('./probe.sh', import.meta.url),
  // As sysctl does: where there is a slash, it is what stands between the parts.
  args: ({ name }) => [name.includes('/') ? name : name.replaceAll('.', '/')],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    if (values.has('absent')) return { value: null };
    const value = values.get('value');
    if (value === undefined) throw new UnreadableOutput('the value is missing');
    return { value: value.trim().replace(/\s+/g, ' ') };
  },
  judge({ value }, { name, value: wanted, warning, critical }) {
    if (value === null)
      return {
        outcome: 'unknown',
        reason: 'no-parameter',
        summary: `the kernel has no parameter ${name}; is the name right, and its module loaded?`,
      };
    const issues: Issue[] = [];
    if (wanted !== undefined && String(wanted).trim().replace(/\s+/g, ' ') !== value)
      issues.push(wrong('wrong-value', `is ${value || 'empty'}, should be ${wanted}`));
    const isNumber = /^-?\d+(?:\.\d+)?$/.test(value);
    const measured = isNumber
      ? measure('value', Number(value), 'count', { warning, critical }, () => `is ${value}`)
      : null;
    if (!isNumber && (warning !== undefined || critical !== undefined))
      issues.push({ outcome: 'unknown', reason: 'not-a-number', text: `is "${value}", which is no number` });
    return judgeIssues([...issues, ...(measured?.issues ?? [])], {
      subject: name,
      calm: `is ${value || 'empty'}`,
      metrics: measured ? [measured.metric] : [],
    });
  },
});
