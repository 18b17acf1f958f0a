import { createHash } from 'node:crypto';
import { expectSuccess } from '../../lines.js';
import { foundPattern, type Patterns } from '../../patterns.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

export type Family = 'IPv4' | 'IPv6';
export type Hook = 'input' | 'forward' | 'output';

export interface RuleSet {
  /** What listed the rules: nft, iptables, ip6tables. */
  readonly tools: readonly string[];
  /** Each with its table and chain in front: `inet filter input tcp dport 22 accept`. */
  readonly rules: readonly string[];
  /** What becomes of packets that no rule takes. */
  readonly defaults: Readonly<Record<Family, Readonly<Record<Hook, Verdict>>>>;
  /** The host has IPv6. */
  readonly ipv6: boolean;
  /** SHA-256 of tables, policies and rules, without counters and what sets learn by themselves. */
  readonly sha256: string;
}

export type Verdict = 'accept' | 'drop';

/** A chain that the kernel hands packets to. */
interface Chain {
  readonly name: string;
  readonly families: readonly Family[];
  readonly hook: string;
  readonly policy: Verdict;
}

/** What a rule does that takes every packet. */
type End = Verdict | 'return' | { readonly way: 'jump' | 'goto'; readonly to: string };

interface Listed {
  readonly rules: string[];
  readonly chains: Chain[];
  /** Of every chain, those of its rules that take every packet. */
  readonly ends: Map<string, End[]>;
  /** All that counts for the checksum, in order. */
  readonly lines: string[];
}

const hooks = ['input', 'forward', 'output'] as const;

/** @param ignore patterns of rules that change by themselves */
export function readRules(output: ProbeOutput, ignore: Patterns): RuleSet {
  expectSuccess(output);
  const [head = '', ...parts] = text(output.stdout).split(/^== /m);
  if (parts.at(-1) !== 'end\n' || parts.length < 2) throw new UnreadableOutput('the rules are cut off');
  const sections = parts.slice(0, -1).map((part) => {
    const tool = part.slice(0, part.indexOf('\n'));
    const lines = part
      .split('\n')
      .slice(1)
      .filter((line) => line.trim() !== '' && !/^\s*#/.test(line));
    return { tool, ...(tool === 'nft' ? readNft(lines) : readIptables(lines, tool === 'iptables' ? 'IPv4' : 'IPv6')) };
  });
  const chains = sections.flatMap((section) =>
    section.chains.map((chain) => ({ ...chain, verdict: verdictOf(chain.name, section.ends) ?? chain.policy })),
  );
  const stable = sections.flatMap(({ lines }) => lines).filter((line) => foundPattern(ignore, line) === undefined);
  const defaultOf = (family: Family, hook: Hook): Verdict =>
    chains.some((chain) => chain.families.includes(family) && chain.hook === hook && chain.verdict === 'drop')
      ? 'drop'
      : 'accept';
  const defaultsOf = (family: Family) => ({
    input: defaultOf(family, 'input'),
    forward: defaultOf(family, 'forward'),
    output: defaultOf(family, 'output'),
  });
  return {
    tools: sections.map(({ tool }) => tool),
    rules: sections.flatMap(({ rules }) => rules),
    defaults: { IPv4: defaultsOf('IPv4'), IPv6: defaultsOf('IPv6') },
    ipv6: /^ipv6\tyes$/m.test(head),
    sha256: createHash('sha256').update(stable.join('\n')).digest('hex'),
  };
}

/**
 * What becomes of every packet in a chain and those it leads to; undefined when that depends, or it comes back. `known`
 * has what was looked at already, so that each chain is walked once; the kernel has no loops.
 */
function verdictOf(
  name: string,
  ends: Listed['ends'],
  known = new Map<string, Verdict | undefined>(),
): Verdict | undefined {
  if (known.has(name)) return known.get(name);
  known.set(name, undefined);
  for (const end of ends.get(name) ?? []) {
    if (end === 'return') return undefined;
    const verdict = typeof end === 'string' ? end : verdictOf(end.to, ends, known);
    if (verdict === undefined && !(typeof end === 'object' && end.way === 'goto')) continue;
    known.set(name, verdict);
    return verdict;
  }
  return undefined;
}

const nftFamilies: Readonly<Record<string, readonly Family[]>> = {
  ip: ['IPv4'],
  ip6: ['IPv6'],
  inet: ['IPv4', 'IPv6'],
};

/** `nft -s list ruleset`: blocks of tables, in them blocks of chains, sets and other objects. */
function readNft(input: readonly string[]): Listed {
  const listed: Listed = { rules: [], chains: [], ends: new Map(), lines: [] };
  let table: { family: string; name: string; dormant: boolean } | undefined;
  let block: { kind: string; name: string; learns: boolean } | undefined;
  let inElements = false;
  for (const raw of input) {
    const line = raw.trim();
    const opened = /^(\S+) (.+) \{$/.exec(line);
    if (!table) {
      const [, family = '', name = ''] = /^table (\S+) (\S+) \{(?: # .*)?$/.exec(line) ?? [];
      if (!name) throw new UnreadableOutput(`not a table of nft: ${line.slice(0, 120)}`);
      table = { family, name, dormant: false };
      // The comment tells which program owns the table, as firewalld does from 2.1 on.
      listed.lines.push(`table ${family} ${name} {`);
    } else if (!block) {
      if (line === '}') table = undefined;
      else if (opened) {
        block = { kind: opened[1] ?? '', name: opened[2] ?? '', learns: false };
        listed.lines.push(`${table.family} ${table.name} ${block.kind} ${block.name}`);
      } else {
        // No packet comes to such a table.
        if (/^flags .*\bdormant\b/.test(line)) table.dormant = true;
        listed.lines.push(`${table.family} ${table.name} ${line}`);
      }
    } else if (inElements) {
      if (!block.learns) listed.lines.push(line);
      inElements = !line.endsWith('}');
    } else if (line === '}') {
      block = undefined;
    } else {
      const where = `${table.family} ${table.name} ${block.name}`;
      const base = block.kind === 'chain' ? /^type (\S+) hook (\S+) .*?(?:policy (\w+);)?$/.exec(line) : null;
      if (base) {
        if (!table.dormant)
          listed.chains.push({
            name: where,
            families: base[1] === 'filter' ? (nftFamilies[table.family] ?? []) : [],
            hook: base[2] ?? '',
            policy: base[3] === 'drop' ? 'drop' : 'accept',
          });
        listed.lines.push(`${where} ${line}`);
      } else if (block.kind === 'chain') {
        if (!table.dormant && !line.startsWith('comment "')) listed.rules.push(`${where} ${line}`);
        listed.lines.push(`${where} ${line}`);
        addEnd(listed, where, nftEnd(line, `${table.family} ${table.name}`));
      } else {
        if (/^flags .*\b(?:dynamic|timeout)\b/.test(line)) block.learns = true;
        const elements = line.startsWith('elements = {');
        if (!elements || !block.learns) listed.lines.push(`${where} ${line}`);
        inElements = elements && !line.endsWith('}');
      }
    }
  }
  if (table) throw new UnreadableOutput('the rules of nft are cut off');
  return listed;
}

/** What a rule does that has no condition: `counter log prefix "x" drop`. */
function nftEnd(rule: string, table: string): End | undefined {
  const bare = rule.replace(/"[^"]*"/g, '""').replace(/ comment ""$/, '');
  const plain = bare.replace(/^(?:(?:counter|log(?: (?:prefix|level|group|snaplen|flags) \S+)*|xt match "") )+/, '');
  if (/^(?:drop|reject(?: with .*)?)$/.test(plain)) return 'drop';
  if (plain === 'accept' || plain === 'return') return plain;
  const [, way, to] = /^(jump|goto) (\S+)$/.exec(plain) ?? [];
  return to === undefined ? undefined : { way: way === 'goto' ? 'goto' : 'jump', to: `${table} ${to}` };
}

/** The same of iptables: `-m comment --comment "x" -j DROP`. */
function iptablesEnd(rule: string): End | undefined {
  const plain = rule.replace(/-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) /g, '');
  if (/^-j (?:DROP|REJECT(?: --reject-with \S+)?)$/.test(plain)) return 'drop';
  if (plain === '-j ACCEPT') return 'accept';
  if (plain === '-j RETURN') return 'return';
  const [, way, to] = /^-([jg]) (\S+)$/.exec(plain) ?? [];
  return to === undefined ? undefined : { way: way === 'g' ? 'goto' : 'jump', to };
}

function addEnd({ ends }: Listed, chain: string, end: End | undefined): void {
  if (end === undefined) return;
  const before = ends.get(chain);
  if (before) before.push(end);
  else ends.set(chain, [end]);
}

/** `*table`, `:CHAIN POLICY [packets:bytes]`, `-A CHAIN …`, `COMMIT`. */
function readIptables(input: readonly string[], family: Family): Listed {
  const listed: Listed = { rules: [], chains: [], ends: new Map(), lines: [] };
  const version = family === 'IPv4' ? 'ip' : 'ip6';
  let table = '';
  for (const line of input) {
    const [, name = '', policy = ''] = /^:(\S+) (\S+)/.exec(line) ?? [];
    const [, added = '', rule = ''] = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (line.startsWith('*')) {
      table = line.slice(1);
    } else if (line === 'COMMIT') {
      table = '';
    } else if (table === '') {
      throw new UnreadableOutput(`not a line of iptables-save: ${line.slice(0, 120)}`);
    } else if (name) {
      listed.lines.push(`${version} ${table} ${name} ${policy}`);
      const hook = hooks.find((one) => one.toUpperCase() === name);
      if (table !== 'filter' || !hook) continue;
      listed.chains.push({ name, families: [family], hook, policy: policy === 'DROP' ? 'drop' : 'accept' });
    } else if (added) {
      const whole = `${version} ${table} ${added} ${rule}`;
      listed.rules.push(whole);
      listed.lines.push(whole);
      if (table === 'filter') addEnd(listed, added, iptablesEnd(rule));
    } else throw new UnreadableOutput(`not a line of iptables-save: ${line.slice(0, 120)}`);
  }
  if (table !== '') throw new UnreadableOutput('the rules of iptables are cut off');
  return listed;
}
