import type { Case } from './cases.js';

/** The same seed gives the same inventory. */
export function generateCase(seed: number): Case {
  const random = mulberry(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const chance = (p: number) => random() < p;
  const groupNames = shuffled(['web', 'db', 'app', 'Zeta', 'eu-1', 'x_y', 'prod', 'edge.dc'], random).slice(
    0,
    3 + Math.floor(random() * 5),
  );
  const hostPatterns = shuffled(
    ['h1', 'h2', 'n[1:3]', 'm[01:04:2].x', 'k-[a:c]', 'a.b-c', '10.0.0.1', 'p1:2222', 'q_1'],
    random,
  ).slice(0, 6);
  const variables = ['a', 'b', 'c', 'd', 'long_name'];
  const values = [...iniValues];
  const vars = (p: number) => variables.filter(() => chance(p)).map((name) => [name, pick(values)] as const);
  const groups = groupNames.map((name, at) => ({
    name,
    hosts: hostPatterns.filter(() => chance(0.4)).map((pattern) => ({ pattern, vars: vars(0.3) })),
    // Only later groups, so that there is no circle.
    children: groupNames.slice(at + 1).filter(() => chance(0.3)),
    vars: vars(0.5),
    priority: chance(0.2) ? Math.floor(random() * 5) : undefined,
  }));
  const loose = hostPatterns.filter(() => chance(0.3));
  const files: Record<string, string> = {};
  if (seed % 2 === 0) {
    const sections = groups.flatMap(({ name, hosts, children, vars, priority }) => [
      `[${name}]\n${hosts.map((host) => [host.pattern, ...host.vars.map(([key, value]) => `${key}=${shellQuote(value)}`)].join(' ')).join('\n')}\n`,
      ...(children.length > 0 ? [`[${name}:children]\n${children.join('\n')}\n`] : []),
      ...(vars.length + Number(priority !== undefined) > 0
        ? [
            `[${name}:vars]\n${vars.map(([key, value]) => `${key}=${value}`).join('\n')}\n${priority === undefined ? '' : `ansible_group_priority=${priority}\n`}`,
          ]
        : []),
    ]);
    files.hosts = `${loose.join('\n')}\n${shuffled(sections, random).join('')}`;
  } else {
    const plain = (list: readonly (readonly [string, string])[]) =>
      `{${list.map(([key]) => `${key}: ${pick(yamlValues)}`).join(', ')}}`;
    const body = groups.map(({ name, hosts, children, vars, priority }) => {
      const lines = [`${name}:`];
      if (hosts.length > 0)
        lines.push(
          '  hosts:',
          ...hosts.map((host) => `    ${host.pattern}: ${host.vars.length > 0 ? plain(host.vars) : ''}`),
        );
      if (children.length > 0) lines.push('  children:', ...children.map((child) => `    ${child}:`));
      const all = plain(vars).slice(1, -1);
      const own = [
        ...(all === '' ? [] : [all]),
        ...(priority === undefined ? [] : [`ansible_group_priority: ${priority}`]),
      ];
      if (own.length > 0) lines.push(`  vars: {${own.join(', ')}}`);
      return lines.join('\n');
    });
    const top = `all:\n  hosts: {${loose.map((pattern) => `"${pattern}": `).join(', ')}}\n  vars: {a: ${pick(yamlValues)}}`;
    files['hosts.yml'] = `${shuffled([top, ...body], random).join('\n')}\n`;
  }
  const folder = (kind: string, name: string) => {
    const text = variables
      .filter(() => chance(0.4))
      .map((key) => `${key}: ${pick(yamlValues)}\n`)
      .join('');
    const [path, body] = pick([
      [`${kind}/${name}`, text],
      [`${kind}/${name}.yml`, text],
      [`${kind}/${name}/main.yaml`, text],
      [`${kind}/${name}.json`, '{"a": "json", "b": [1, null]}'],
    ]) as [string, string];
    files[path] = body;
  };
  for (const name of ['all', ...groupNames]) if (chance(0.3)) folder('group_vars', name);
  for (const name of ['h1', 'n2', 'a.b-c', '10.0.0.1', 'p1', 'm03.x']) if (chance(0.3)) folder('host_vars', name);
  return { files };
}

const iniValues = [
  'x',
  '1',
  '-3',
  'True',
  'None',
  '0755',
  '1.5',
  '1e3',
  "'quoted'",
  '[1, "two", None]',
  "{'k': {'n': [True]}}",
  'two words',
  '10.0.0.1',
  '(1, 2)',
  'yes',
  '"5"',
  'a=b',
  '1_0',
  '0x1f',
  '0o7',
  '5.',
  "'a' 'b'",
  '{',
  '1,2',
  '~',
  "it''s",
  'ünïcode',
  '#',
  '-',
  '- 5',
  '--5',
  'None,',
  "{'a': 1, 'a': 2}",
  "['\\x41', '\\u00e9', '\\n']",
  '1 2',
  'true',
  "b'x'",
  '[[[]]]',
  '{"a"}',
  '{}',
  '[]',
  '()',
  "''",
  '1.',
  '1j2',
];
const yamlValues = [
  'x',
  '1',
  'no',
  'Yes',
  'on',
  'y',
  '0755',
  '0o7',
  '08',
  '1:30',
  '1e3',
  '1.5',
  '.5',
  '~',
  '"no"',
  "'0755'",
  '[a, 1, no]',
  '{k: {n: off}}',
  '2020-01-01',
  '1_000',
  '0x1f',
  '10.0.0.1',
  'a b',
  'null',
  '""',
  '!!str 1',
  '1.0e+3',
  '-.5',
  '+1',
  'ünï',
  '"\\u00e9"',
  'a#b',
  "'it''s'",
  '1:2:3',
  '0b11',
  '12:30:45',
  '0_7',
  '.',
  '=a',
  'off',
  'N',
  'True',
];

function shellQuote(value: string): string {
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

function mulberry(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
