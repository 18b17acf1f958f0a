import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { cachedRegex } from '../../../expressions/regex.js';
import { listPatterns, patternProblems, patternsSchema } from '../../patterns.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';
import { type Family, type Hook, type RuleSet, readRules } from './rules.js';

const verdict = { enum: ['drop', 'accept'] } as const;

const params = {
  type: 'object',
  properties: {
    input: {
      ...verdict,
      description:
        'What must become of packets to this host that no rule takes: the policy of the chain, or a last rule that refuses all. Not looked at when absent.',
    },
    forward: { ...verdict, description: 'The same for packets that the host passes on.' },
    output: { ...verdict, description: 'The same for packets that the host sends.' },
    families: {
      type: 'array',
      items: { enum: ['IPv4', 'IPv6'] },
      minItems: 1,
      description: 'For which addresses that must hold. IPv4, and IPv6 where the host has it, when absent.',
      examples: [['IPv4']],
    },
    warning: { ...rangeSchema('Warn when the number of rules is outside this range.'), examples: ['10:'] },
    critical: {
      ...rangeSchema('Fail when the number of rules is outside this range.'),
      default: '1:',
      examples: ['5:'],
    },
    contains: {
      ...patternsSchema(
        'Regular expressions (RE2), each of which a rule must match. A rule starts with family, table and chain.',
      ),
      examples: [['^inet filter input .*tcp dport 22 .*accept', '^ip filter INPUT .*--dport 22 .*ACCEPT']],
    },
    lacks: {
      ...patternsSchema('Regular expressions (RE2) that no rule may match.'),
      examples: [['tcp dport 23 ']],
    },
    sha256: {
      type: 'string',
      pattern: '^[0-9a-fA-F]{12,64}$',
      description: 'Checksum that the rules must have, or the first 12 or more of its digits, as the summary tells it.',
      examples: ['3f6c9d1b2a77'],
    },
    ignore: {
      ...patternsSchema(
        'Regular expressions (RE2) of rules that the checksum leaves out, because programs change them.',
      ),
      examples: [['^ip (?:filter|nat) DOCKER', '^ip filter f2b-']],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export default defineHostStep<Params, RuleSet>({
  kind: 'check.firewall',
  summary: 'Packet filter rules are loaded, what they refuse, and unchanged',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, { warning: { unit: 'count', lower: true }, critical: { unit: 'count', lower: true } }),
    ...patternProblems(given, ['contains', 'lacks', 'ignore']),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse: (output, { ignore }) => readRules(output, ignore),
  judge(data, given) {
    const { rules, tools, sha256 } = data;
    const issues: Issue[] = [...policyIssues(data, given)];
    const matches = (pattern: string) => rules.find((rule) => cachedRegex(pattern).test(rule));
    for (const pattern of listPatterns(given.contains))
      if (matches(pattern) === undefined) issues.push(wrong('no-match', `no rule matches ${quoted(pattern)}`));
    for (const pattern of listPatterns(given.lacks)) {
      const rule = matches(pattern);
      if (rule !== undefined) issues.push(wrong('match', `there is a rule "${shortened(rule)}"`));
    }
    if (given.sha256 !== undefined && !sha256.startsWith(given.sha256.toLowerCase()))
      issues.push(wrong('wrong-checksum', `the rules were changed, their checksum is ${sha256.slice(0, 16)}`));
    const counted = measure(
      'rules',
      rules.length,
      'count',
      { warning: given.warning, critical: given.critical, min: 0 },
      () => said(rules.length),
    );
    return judgeIssues([...issues, ...counted.issues], {
      calm: `${said(rules.length)} (${tools.join(', ')})${defaults(data)}, checksum ${sha256.slice(0, 16)}`,
      metrics: [counted.metric],
    });
  },
});

function policyIssues(data: RuleSet, given: Params): readonly Issue[] {
  return (['input', 'forward', 'output'] as const).flatMap((hook) => {
    const wanted = given[hook];
    const other = familiesOf(data, given).filter((family) => data.defaults[family][hook] !== wanted);
    if (wanted === undefined || other.length === 0) return [];
    const does = wanted === 'drop' ? 'are let through' : 'are refused';
    return [wrong(`default-${hook}`, `${other.join(' and ')} packets ${phrases[hook]} that no rule takes ${does}`)];
  });
}

const phrases: Readonly<Record<Hook, string>> = {
  input: 'to this host',
  forward: 'to be passed on',
  output: 'from this host',
};

function familiesOf({ ipv6 }: RuleSet, { families }: Params): readonly Family[] {
  return families ?? (ipv6 ? ['IPv4', 'IPv6'] : ['IPv4']);
}

function said(count: number): string {
  return count === 0 ? 'no rule is loaded' : count === 1 ? '1 rule is loaded' : `${count} rules are loaded`;
}

function defaults({ defaults: { IPv4, IPv6 }, ipv6 }: RuleSet): string {
  const other = ipv6 && IPv4.input !== IPv6.input ? ` (IPv6: ${IPv6.input})` : '';
  return `, input ends in ${IPv4.input}${other}`;
}

function quoted(pattern: string): string {
  return `/${shortened(pattern)}/`;
}

function shortened(words: string): string {
  return words.length > 80 ? `${words.slice(0, 79)}…` : words;
}
