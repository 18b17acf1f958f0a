import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { metricOf, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { sameAddress } from '../address.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[^-/\\s.][^/\\s]{0,14}$',
      description: 'Name of the interface.',
      examples: ['eth0', 'bond0'],
    },
    state: { enum: ['up', 'down', 'absent'], default: 'up', description: 'State that it should be in.' },
    addresses: {
      type: 'array',
      items: { type: 'string', pattern: '^[0-9A-Fa-f.:]+(?:/\\d{1,3})?$' },
      default: [],
      description: 'Addresses that it must have, with or without the length of their network.',
      examples: [['10.0.0.5/24', 'fd00::5']],
    },
    mtu: {
      type: 'integer',
      minimum: 68,
      description: 'Largest packet that it should send, in bytes.',
      examples: [1500, 9000],
    },
    speed: {
      type: 'integer',
      minimum: 1,
      description: 'Least speed that it should have, in Mbit/s.',
      examples: [1000, 10000],
    },
    'warning-errors': {
      ...rangeSchema('Warn when the part of the packets with an error, since it came up, is outside this range.'),
      default: '1%',
      examples: ['0.1%'],
    },
    'critical-errors': {
      ...rangeSchema('Fail when the part of the packets with an error, since it came up, is outside this range.'),
      examples: ['5%'],
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface InterfaceData {
  readonly present: boolean;
  /** As the kernel says; `unknown` for those that cannot tell, such as the loopback. */
  readonly operstate: string;
  /** Somebody switched it on. */
  readonly enabled: boolean;
  readonly mtu: number;
  /** Mbit/s; null where there is no cable, or no such thing. */
  readonly speed: number | null;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
  /** With the length of their network. */
  readonly addresses: readonly string[];
  /** Those that the kernel does not use, because another machine has them. */
  readonly duplicates: readonly string[];
}

const switchedOn = 1;

export default defineHostStep<FromSchema<typeof params>, InterfaceData>({
  kind: 'check.interface',
  summary: 'A network interface: state, addresses, speed, errors',
  params,
  effect: 'read',
  validate: (given) => rangeProblems(given, { 'warning-errors': 'ratio', 'critical-errors': 'ratio' }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ name, addresses }) => [name, addresses.length > 0 ? 'addresses' : ''],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const values = new Map(lines);
    if (values.has('absent'))
      return {
        present: false,
        operstate: '',
        enabled: false,
        mtu: 0,
        speed: null,
        packets: 0,
        errors: 0,
        dropped: 0,
        addresses: [],
        duplicates: [],
      };
    const number = (name: string) => numberOf(values.get(name), name);
    const all = (name: string) => lines.filter(([key]) => key === name).map(([, value]) => value);
    const operstate = values.get('operstate');
    if (!operstate) throw new UnreadableOutput('the state of the interface is missing');
    const speed = values.has('speed') ? number('speed') : -1;
    return {
      present: true,
      operstate,
      enabled: (number('flags') & switchedOn) !== 0,
      mtu: number('mtu'),
      // Virtual interfaces say -1; some drivers 2^32 - 1.
      speed: speed > 0 && speed < 4_294_967_295 ? speed : null,
      packets: number('rx_packets') + number('tx_packets'),
      errors: number('rx_errors') + number('tx_errors'),
      dropped: number('rx_dropped') + number('tx_dropped'),
      addresses: all('address'),
      duplicates: all('duplicate'),
    };
  },
  judge(data, given) {
    const { name } = given;
    if (!data.present)
      return given.state === 'absent'
        ? { outcome: 'ok', reason: 'ok', summary: `${name} does not exist` }
        : { outcome: 'failed', reason: 'interface-absent', summary: `${name} does not exist` };
    if (given.state === 'absent')
      return { outcome: 'failed', reason: 'interface-present', summary: `${name} exists, should not` };
    // Tunnels and the loopback do not tell: there, that it is switched on has to do.
    const up = data.enabled && (data.operstate === 'up' || data.operstate === 'unknown');
    const state = up ? 'up' : data.enabled ? `without a link (${data.operstate})` : 'down';
    const issues: Issue[] = [];
    if (up !== (given.state === 'up'))
      issues.push(wrong(`interface-${up ? 'up' : 'down'}`, `is ${state}, should be ${given.state}`));
    const missing = given.addresses.filter((wanted) => !data.addresses.some((found) => isSame(found, wanted)));
    const isDuplicate = (wanted: string) => data.duplicates.some((found) => isSame(found, wanted));
    const taken = missing.filter(isDuplicate);
    const absent = missing.filter((wanted) => !isDuplicate(wanted));
    if (taken.length > 0)
      issues.push(wrong('address-duplicate', `cannot use ${taken.join(', ')}: another machine has it (dadfailed)`));
    if (absent.length > 0)
      issues.push(
        wrong('address-missing', `lacks ${absent.join(', ')}, has ${data.addresses.join(', ') || 'no address'}`),
      );
    if (given.mtu !== undefined && given.mtu !== data.mtu)
      issues.push(wrong('wrong-mtu', `has MTU ${data.mtu}, should have ${given.mtu}`));
    if (given.speed !== undefined && data.speed === null)
      issues.push({ outcome: 'unknown', reason: 'not-measured', text: 'does not tell its speed' });
    if (given.speed !== undefined && data.speed !== null && data.speed < given.speed)
      issues.push(wrong('too-slow', `runs at ${data.speed} Mbit/s, should at ${given.speed}`));
    const errors = measure(
      'errors',
      data.packets === 0 ? 0 : data.errors / data.packets,
      'ratio',
      { warning: given['warning-errors'], critical: given['critical-errors'], min: 0 },
      (part) => `had ${data.errors} errors in ${data.packets} packets (${part})`,
    );
    const speed = data.speed === null ? '' : `, ${data.speed} Mbit/s`;
    return judgeIssues([...issues, ...errors.issues], {
      subject: name,
      calm: `is ${state}${speed}${data.addresses.length > 0 ? `, ${data.addresses.join(', ')}` : ''}`,
      metrics: [
        errors.metric,
        metricOf('dropped', data.dropped, 'count', { min: 0 }),
        ...(data.speed === null ? [] : [metricOf('speed', data.speed * 1e6, 'count', { min: 0 })]),
      ],
    });
  },
});

function isSame(found: string, wanted: string): boolean {
  const [address = '', length] = found.split('/');
  const [wantedAddress = '', wantedLength] = wanted.split('/');
  return sameAddress(address, wantedAddress) && (wantedLength === undefined || wantedLength === length);
}
