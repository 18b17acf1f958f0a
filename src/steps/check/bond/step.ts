import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import type { Metric } from '../../../result/result.schema.js';
import { expectSuccess } from '../../lines.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';
import { type Bond, modes, readBonds } from './bonds.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[^-/\\s.][^/\\s]*$',
      description: 'Name of the bonded interface. Every one that the host has when absent.',
      examples: ['bond0'],
    },
    mode: { enum: modes, description: 'How it should share the traffic. Not looked at when absent.' },
    links: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description: 'Interfaces that must be part of it, and no others.',
      examples: [['eth0', 'eth1']],
    },
    active: {
      type: 'string',
      minLength: 1,
      description: 'Interface that should carry the traffic, where one does at a time (active-backup).',
      examples: ['eth0'],
    },
    warning: {
      ...rangeSchema('Warn when the number of links that are down is outside this range.'),
      default: 0,
      examples: [0],
    },
    critical: {
      ...rangeSchema('Fail when the number of links that are down is outside this range.'),
      examples: [1],
    },
    'warning-up': {
      ...rangeSchema('Warn when the number of links that are up is outside this range.'),
      examples: ['4:'],
    },
    'critical-up': {
      ...rangeSchema('Fail when the number of links that are up is outside this range.'),
      default: '1:',
      examples: ['2:'],
    },
    'warning-failures': {
      ...rangeSchema('Warn when the number of times that a link went down is outside this range.'),
      examples: [10],
    },
    'critical-failures': {
      ...rangeSchema('Fail when the number of times that a link went down is outside this range.'),
      examples: [100],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export default defineHostStep<Params, readonly Bond[] | null>({
  kind: 'check.bond',
  summary: 'Bonded interfaces: links that are up, mode, LACP partner',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-up': { unit: 'count', lower: true },
      'critical-up': { unit: 'count', lower: true },
      'warning-failures': 'count',
      'critical-failures': 'count',
    }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ name }) => [name ?? ''],
  parse(output) {
    expectSuccess(output);
    return readBonds(output);
  },
  judge(bonds, given) {
    if (!bonds) return { outcome: 'failed', reason: 'bond-absent', summary: `${given.name} is no bonded interface` };
    const judged = bonds.map((bond) => judgeBond(bond, given));
    return judgeIssues(
      judged.flatMap(({ issues }) => issues),
      { calm: bonds.map(described).join('; '), metrics: judged.flatMap(({ metrics }) => metrics) },
    );
  },
});

function judgeBond(bond: Bond, given: Params): { issues: readonly Issue[]; metrics: readonly Metric[] } {
  const { name, links } = bond;
  const issues: Issue[] = [];
  const down = links.filter(({ up }) => !up);
  if (!bond.up) issues.push(wrong('bond-down', `${name} is down`));
  if (given.mode !== undefined && bond.mode !== given.mode)
    issues.push(wrong('wrong-mode', `${name} has mode ${bond.mode}, should have ${given.mode}`));
  if (given.links) {
    const missing = given.links.filter((wanted) => !links.some((link) => link.name === wanted));
    const extra = links.map((link) => link.name).filter((found) => !given.links?.includes(found));
    if (missing.length > 0) issues.push(wrong('link-missing', `${name} lacks ${missing.join(', ')}`));
    if (extra.length > 0) issues.push(wrong('link-extra', `${name} also has ${extra.join(', ')}`));
  }
  if (given.active !== undefined && bond.active !== given.active)
    issues.push(
      wrong('wrong-active', `${name} uses ${bond.active ?? 'no single link'} now, should use ${given.active}`),
    );
  const measured = [
    measure(
      `links-down{${name}}`,
      down.length,
      'count',
      { warning: given.warning, critical: given.critical, min: 0, max: links.length },
      () => `${name} has ${down.length} of ${links.length} links down: ${list(down)}`,
    ),
    measure(
      `links-up{${name}}`,
      links.length - down.length,
      'count',
      { warning: given['warning-up'], critical: given['critical-up'], min: 0, max: links.length },
      (count) => `${name} has ${count} of ${links.length} links up`,
    ),
    ...links.map((link) =>
      measure(
        `link-failures{${name}/${link.name}}`,
        link.failures,
        'count',
        { warning: given['warning-failures'], critical: given['critical-failures'], min: 0 },
        (count) => `${link.name} of ${name} went down ${link.failures === 1 ? 'once' : `${count} times`}`,
      ),
    ),
  ];
  return {
    issues: [...issues, ...measured.flatMap((one) => one.issues), ...lacpIssues(bond), ...monitorIssues(bond)],
    metrics: measured.map(({ metric }) => metric),
  };
}

function lacpIssues({ name, mode, links, partner, aggregator }: Bond): readonly Issue[] {
  if (mode !== '802.3ad') return [];
  const up = links.filter((link) => link.up && link.aggregator !== null);
  const used = aggregator ?? up.find((link) => link.aggregator !== 'none')?.aggregator ?? null;
  const apart = up.filter((link) => link.aggregator !== used);
  return [
    ...(partner !== null && /^(?:00:){5}00$/.test(partner)
      ? [wrong('no-lacp-partner', `${name} has no LACP partner: does the switch speak LACP on these ports?`)]
      : []),
    ...(apart.length > 0
      ? [
          wrong(
            'link-apart',
            `${list(apart)} of ${name} is up but carries nothing: it is in another aggregator, or in none`,
          ),
        ]
      : []),
  ];
}

/** Without any monitoring a dead link stays `up` for ever. */
function monitorIssues({ name, monitored }: Bond): readonly Issue[] {
  if (monitored) return [];
  const text = `${name} does not watch its links (miimon and arp_interval are 0), so a dead one is shown as up`;
  return [{ outcome: 'warning', reason: 'not-monitored', text }];
}

function described({ name, mode, links, active, partner }: Bond): string {
  const up = links.filter((link) => link.up).length;
  const uses = active === null ? '' : `, ${active} carries the traffic`;
  const unseen = mode === '802.3ad' && partner === null ? ', its LACP partner is shown to root alone' : '';
  return `${name} has ${up} of ${links.length} links up (${mode})${uses}${unseen}`;
}

function list(links: Bond['links']): string {
  return links.map(({ name, status }) => (status === 'up' ? name : `${name} (${status})`)).join(', ');
}
