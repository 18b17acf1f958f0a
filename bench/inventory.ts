/**
 * `tsx bench/inventory.ts`: how long big inventories take to load, and what they keep in memory. Each figure is the
 * median of five fresh processes. Limits: 10,000 hosts in YAML in 2 s, 50,000 in JSON in 1 s.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadInventory } from '../src/inventory/load.js';
import { selectHosts } from '../src/inventory/patterns.js';

interface Figures {
  readonly load: number;
  /** Processor time of loading: steadier than the clock on a busy machine. */
  readonly cpu: number;
  readonly select: number;
  readonly vars: number;
  readonly heap: number;
  readonly peak: number;
}

const rounds = 5;

function hostsOf(count: number): Record<string, unknown> {
  const entries = Array.from({ length: count }, (_, at) => {
    const host = { address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, vars: { rack: `r${at % 40}`, index: at } };
    return [`web${at}.example.com`, host] as const;
  });
  return Object.fromEntries(entries);
}

const groups = (count: number) => ({
  all: { vars: { site: 'fra', domain: 'example.com' } },
  web: { hosts: Object.keys(hostsOf(count)), vars: { service: 'nginx', port: 443 } },
  prod: { groups: ['web'], vars: { stage: 'prod' } },
});

function yamlOf(count: number): string {
  const lines = Object.entries(hostsOf(count)).map(([name, host]) => `  ${name}: ${JSON.stringify(host)}`);
  return `groups:\n  web: { hosts: "web[0:${count - 1}].example.com", vars: { service: nginx } }\nhosts:\n${lines.join('\n')}\n`;
}

const files: Readonly<Record<string, readonly [name: string, text: () => string]>> = {
  'YAML, 1,000 hosts': ['a.yaml', () => yamlOf(1_000)],
  'YAML, 10,000 hosts': ['b.yaml', () => yamlOf(10_000)],
  'YAML, 50,000 names without settings': [
    'c.yaml',
    () => `hosts:\n${Array.from({ length: 50_000 }, (_, at) => `  web${at}.example.com: {}\n`).join('')}`,
  ],
  'JSON, 50,000 hosts': ['d.json', () => JSON.stringify({ groups: groups(50_000), hosts: hostsOf(50_000) })],
  'Ansible INI, 10,000 hosts': [
    'e',
    () =>
      `[web]\n${Array.from({ length: 10_000 }, (_, at) => `web${at}.example.com ansible_host=10.0.${at >> 8}.${at & 255} rack=r${at % 40}\n`).join('')}`,
  ],
  'Ansible YAML, 10,000 hosts': [
    'f.yml',
    () =>
      `all:\n  hosts:\n${Array.from({ length: 10_000 }, (_, at) => `    web${at}.example.com: { ansible_host: 10.0.${at >> 8}.${at & 255}, rack: r${at % 40} }\n`).join('')}`,
  ],
  'Ansible --list, 50,000 hosts': [
    'g.json',
    () =>
      JSON.stringify({
        web: { hosts: Object.keys(hostsOf(50_000)), vars: { service: 'nginx' } },
        _meta: {
          hostvars: Object.fromEntries(
            Object.keys(hostsOf(50_000)).map((name, at) => [name, { ansible_host: `10.0.${at >> 8}.${at & 255}` }]),
          ),
        },
      }),
  ],
  'a range of 100,000 hosts': ['h.yaml', () => 'groups:\n  web: { hosts: "web[00000:99999]" }\n'],
};

async function measure(file: string): Promise<Figures> {
  const before = process.cpuUsage();
  const start = performance.now();
  const inventory = await loadInventory([file], { cwd: '/', env: process.env });
  const loaded = performance.now();
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1000;
  selectHosts(inventory, 'web1*,!~web10.*');
  const selected = performance.now();
  for (const host of inventory.hosts.values()) void [host.vars, host.connect];
  const read = performance.now();
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  const peak = process.resourceUsage().maxRSS * 1024;
  return { load: loaded - start, cpu, select: selected - loaded, vars: read - selected, heap: heapUsed, peak };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(folder: string): void {
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, at) => (at === 0 ? cell.padEnd(38) : cell.padStart(12))).join('')}\n`;
  process.stdout.write(line(['', 'load', 'cpu', 'select', 'all vars', 'heap', 'peak memory']));
  for (const [title, [name, text]] of Object.entries(files)) {
    const file = join(folder, name);
    writeFileSync(file, text());
    const runs = Array.from({ length: rounds }, () => {
      const output = execFileSync(process.execPath, [
        '--expose-gc',
        '--import',
        'tsx',
        fileURLToPath(import.meta.url),
        file,
      ]);
      return JSON.parse(output.toString()) as Figures;
    });
    const of = (key: keyof Figures) => median(runs.map((run) => run[key]));
    const [ms, mb] = [
      (value: number) => `${value.toFixed(0)} ms`,
      (value: number) => `${(value / 2 ** 20).toFixed(0)} MiB`,
    ];
    process.stdout.write(
      line([title, ms(of('load')), ms(of('cpu')), ms(of('select')), ms(of('vars')), mb(of('heap')), mb(of('peak'))]),
    );
  }
}

const [file] = process.argv.slice(2);
if (file !== undefined) process.stdout.write(JSON.stringify(await measure(file)));
else {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-bench-'));
  try {
    report(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
