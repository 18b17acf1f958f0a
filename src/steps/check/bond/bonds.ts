import { numberOf } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

/** Names that `ip link` takes, by what the kernel starts its own text with. */
const modeTexts = {
  'balance-rr': 'load balancing (round-robin)',
  'active-backup': 'fault-tolerance (active-backup)',
  'balance-xor': 'load balancing (xor)',
  broadcast: 'fault-tolerance (broadcast)',
  '802.3ad': 'IEEE 802.3ad Dynamic link aggregation',
  'balance-tlb': 'transmit load balancing',
  'balance-alb': 'adaptive load balancing',
} as const;

export type Mode = keyof typeof modeTexts;

export const modes = Object.keys(modeTexts) as readonly Mode[];

export interface Bond {
  readonly name: string;
  readonly mode: Mode;
  readonly up: boolean;
  /** Link that carries the traffic, in modes where one does. */
  readonly active: string | null;
  /** The driver watches the links, by MII or ARP. */
  readonly monitored: boolean;
  /** Of 802.3ad; null when this user may not see them. */
  readonly partner: string | null;
  readonly aggregator: number | null;
  readonly links: readonly Link[];
}

export interface Link {
  readonly name: string;
  /** As the kernel says: `up`, `down`, `going down`, `going back`. */
  readonly status: string;
  readonly up: boolean;
  readonly failures: number;
  /** `none` while it is in no aggregator; null where the kernel does not tell. */
  readonly aggregator: number | 'none' | null;
}

/** Reads the files of /proc/net/bonding; null when the one that was asked for is not there. */
export function readBonds(output: ProbeOutput): readonly Bond[] | null {
  const said = text(output.stdout);
  if (said === 'absent\t\n') return null;
  if (!said.startsWith('bond\t') || !said.endsWith('\nend\t\n')) throw new UnreadableOutput('the bonds are cut off');
  return said
    .slice('bond\t'.length, -'end\t\n'.length)
    .split(/^bond\t/m)
    .map(readBond);
}

function readBond(file: string): Bond {
  const [head = '', ...parts] = file.split(/^Slave Interface: /m);
  const name = head.split('\n', 1)[0] ?? '';
  const values = valuesOf(head);
  const said = values.get('Bonding Mode') ?? '';
  const mode = modes.find((one) => said.startsWith(modeTexts[one]));
  if (!mode) throw new UnreadableOutput(`${name}: unknown mode "${said.slice(0, 80)}"`);
  const status = values.get('MII Status');
  if (!status) throw new UnreadableOutput(`${name} does not tell its state`);
  const active = values.get('Currently Active Slave');
  const aggregator = values.get('Aggregator ID');
  const interval = (key: string) => numberOf(values.get(key) ?? '0', key);
  return {
    name,
    mode,
    up: status === 'up',
    active: active === undefined || active === 'None' ? null : active,
    monitored: interval('MII Polling Interval (ms)') > 0 || interval('ARP Polling Interval (ms)') > 0,
    partner: values.get('Partner Mac Address') ?? null,
    aggregator: aggregator === undefined ? null : numberOf(aggregator, 'aggregator'),
    links: parts.map(readLink),
  };
}

function readLink(part: string): Link {
  const name = part.split('\n', 1)[0] ?? '';
  const values = valuesOf(part);
  const status = values.get('MII Status');
  if (!name || !status) throw new UnreadableOutput(`link "${name}" does not tell its state`);
  const aggregator = values.get('Aggregator ID');
  return {
    name,
    status,
    up: status === 'up',
    failures: numberOf(values.get('Link Failure Count'), 'link failures'),
    aggregator: aggregator === undefined ? null : aggregator === 'N/A' ? 'none' : numberOf(aggregator, 'aggregator'),
  };
}

/** `Key: value` lines. The first of a name counts: details of LACP repeat some further down. */
function valuesOf(part: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of part.split('\n')) {
    const match = /^\s*([^:]+): (.*)$/.exec(line);
    const [, key = '', value = ''] = match ?? [];
    if (match && !values.has(key)) values.set(key, value.trim());
  }
  return values;
}
