import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type StepProblem, text, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      minLength: 1,
      description: 'Name of the domain. All domains when absent.',
      examples: ['db1'],
    },
    uri: {
      type: 'string',
      pattern: '^[a-z][a-z0-9+.-]*://',
      default: 'qemu:///system',
      description: 'Hypervisor to ask, as libvirt names it.',
      examples: ['xen:///system', 'qemu:///session'],
    },
    state: {
      enum: ['running', 'paused', 'shut-off', 'absent'],
      description:
        'State that the domain should be in; `running` with a `name`. Without one: the state that all should be in, or, when absent, running for those that start with the host.',
    },
    autostart: { type: 'boolean', description: 'Whether it should start with the host.' },
    count: {
      ...rangeSchema('Fail when the number of running domains is outside this range.'),
      examples: ['1:', '3:8'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

/** By libvirt's number. A blocked domain is one that runs and has nothing to do. */
const states = [
  'unknown',
  'running',
  'running',
  'paused',
  'shutting-down',
  'shut-off',
  'crashed',
  'suspended',
] as const;

export interface Domain {
  readonly name: string;
  readonly state: (typeof states)[number];
  readonly autostart: boolean;
}

export default defineHostStep<Params, { readonly domains: readonly Domain[] }>({
  kind: 'check.libvirt',
  summary: 'Virtual machines of libvirt: state, start with the host',
  params,
  effect: 'read',
  validate: (given) => [...rangeProblems(given, { count: 'count' }), ...problemsOf(given)],
  probe: script('./probe.sh', import.meta.url),
  args: ({ uri }) => [uri],
  parse(output) {
    expectSuccess(output);
    const match = /^== autostart\n([\s\S]*?)\n== state\n([\s\S]*)\n== end\n$/.exec(text(output.stdout));
    if (!match) throw new UnreadableOutput('the list of domains is cut off');
    const [, starting = '', listed = ''] = match;
    const autostart = new Set(starting.split('\n').filter((name) => name !== ''));
    const domains = listed
      .split(/\n\s*\n/)
      .filter((block) => block.trim() !== '')
      .map((block) => {
        const [, name, number] = /^\s*Domain: '(.*)'\n[\s\S]*?^\s*state\.state=(\d+)$/m.exec(block) ?? [];
        const state = number === undefined ? undefined : states[Number(number)];
        if (!name || state === undefined) throw new UnreadableOutput(`not a domain: ${block.trim().slice(0, 200)}`);
        return { name, state, autostart: autostart.has(name) };
      });
    return { domains: domains.sort((one, other) => (one.name < other.name ? -1 : 1)) };
  },
  judge({ domains }, given) {
    const { name, uri } = given;
    const chosen = name === undefined ? domains : domains.filter((domain) => domain.name === name);
    if (given.state === 'absent')
      return chosen.length === 0
        ? { outcome: 'ok', reason: 'ok', summary: `${uri} has no domain ${name}` }
        : { outcome: 'failed', reason: 'domain-present', summary: `${uri} has the domain ${name}, should not` };
    if (chosen.length === 0)
      return name === undefined
        ? { outcome: 'unknown', reason: 'nothing-found', summary: `${uri} has no domains` }
        : { outcome: 'failed', reason: 'no-domain', summary: `${uri} has no domain ${name}` };
    const running = chosen.filter(({ state }) => state === 'running').length;
    const count = measure(
      'running',
      running,
      'count',
      { critical: given.count, min: 0 },
      (quantity) => `${quantity} of ${chosen.length} domains run`,
    );
    const issues = [...chosen.flatMap((domain) => issuesOf(domain, given)), ...count.issues];
    const [first] = chosen;
    const calm =
      name !== undefined && first
        ? `${name} is ${first.state}${first.autostart ? ', starts with the host' : ''}`
        : `${running} of ${chosen.length} domains run`;
    return judgeIssues(issues, { calm, metrics: name === undefined ? [count.metric] : [] });
  },
});

function issuesOf({ name, state, autostart }: Domain, given: Params): Issue[] {
  const wanted = given.state ?? (given.name !== undefined || autostart ? 'running' : undefined);
  const issues: Issue[] = [];
  if (wanted !== undefined && state !== wanted)
    issues.push(wrong('wrong-state', `${name} is ${state}, should be ${wanted}`));
  else if (state === 'crashed') issues.push(wrong('crashed', `${name} is crashed`));
  if (given.autostart !== undefined && given.autostart !== autostart)
    issues.push(
      autostart
        ? wrong('autostart', `${name} starts with the host, should not`)
        : wrong('no-autostart', `${name} does not start with the host`),
    );
  return issues;
}

function problemsOf({ name, state, count }: Params): StepProblem[] {
  if (name === undefined && state === 'absent')
    return [{ path: ['state'], what: 'which domain should be absent is not told', hint: 'set `name`' }];
  if (name !== undefined && count !== undefined)
    return [{ path: ['count'], what: 'one domain cannot be counted', hint: 'remove `name` or `count`' }];
  return [];
}
