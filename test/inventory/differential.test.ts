import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { loadInventory } from '../../src/inventory/load.js';
import { describeWith } from '../support/needs.js';
import { type Case, cases } from './cases.js';
import { generateCase } from './generate.js';

interface Answer {
  readonly error?: string;
  readonly hosts: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly groups: Readonly<
    Record<string, { readonly hosts: readonly string[]; readonly children: readonly string[] }>
  >;
}

const seeds = Array.from({ length: 60 }, (_, at) => at + 1);
const all: ReadonlyMap<string, Case> = new Map([
  ...Object.entries(cases),
  ...seeds.map((seed) => [`generated ${seed}`, generateCase(seed)] as const),
]);

describeWith('Ansible inventories are read as Ansible reads them', ['ansible-inventory'], () => {
  const root = mkdtempSync(join(tmpdir(), 'opsctl-inventory-'));
  const answers = new Map<string, Answer>();

  beforeAll(async () => {
    const sources = [...all].map(([name, entry], at) => [name, write(join(root, String(at)), entry)] as const);
    for (const [name, answer] of await askAnsible(sources)) answers.set(name, answer);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each([...all.keys()].map((name, at) => [name, at] as const))('%s', async (name, at) => {
    const entry = all.get(name) as Case;
    const expected = answers.get(name) as Answer;
    expect(expected.error, `Ansible refuses ${JSON.stringify(entry.files, null, 1)}`).toBeUndefined();

    const actual = await readOurs(sourcesOf(join(root, String(at)), entry));

    expect(actual, JSON.stringify(entry.files, null, 1)).toEqual(normalize(expected));
  });

  it('the oracle says what ansible-inventory --list says', async () => {
    for (const name of ['ini: a diamond', 'group_vars: files of all forms', 'generated 3']) {
      const at = [...all.keys()].indexOf(name);
      const flags = sourcesOf(join(root, String(at)), all.get(name) as Case).flatMap((source) => ['-i', source]);
      const { stdout } = await promisify(execFile)('ansible-inventory', [...flags, '--list']);
      const { _meta: meta } = JSON.parse(stdout) as { _meta: { hostvars: Answer['hosts'] } };
      const hosts = Object.entries(answers.get(name)?.hosts ?? {}).filter(([, vars]) => Object.keys(vars).length > 0);
      expect(meta.hostvars).toEqual(Object.fromEntries(hosts));
    }
  });
});

function write(folder: string, entry: Case): readonly string[] {
  for (const [name, text] of Object.entries(entry.files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (text.startsWith('#!')) chmodSync(path, 0o755);
  }
  return sourcesOf(folder, entry);
}

function sourcesOf(folder: string, entry: Case): readonly string[] {
  const sources = entry.sources ?? [Object.keys(entry.files)[0] ?? ''];
  return sources.map((source) => (source.includes(',') ? source : join(folder, source)));
}

async function askAnsible(
  questions: readonly (readonly [string, readonly string[]])[],
): Promise<readonly (readonly [string, Answer])[]> {
  const oracle = spawn(await pythonOfAnsible(), [join(dirname(fileURLToPath(import.meta.url)), 'oracle.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  oracle.stdin.end(questions.map(([, sources]) => `${JSON.stringify({ sources })}\n`).join(''));
  const lines: string[] = [];
  for await (const line of createInterface({ input: oracle.stdout })) lines.push(line);
  return questions.map(([name], at) => [name, JSON.parse(lines[at] ?? '{"error": "no answer"}') as Answer] as const);
}

/** The interpreter that Ansible is installed for, which need not be the first `python3`. */
async function pythonOfAnsible(): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'head -n 1 "$(command -v ansible-inventory)"']);
  return /^#!\s*(\S+)/.exec(stdout)?.[1] ?? 'python3';
}

async function readOurs(sources: readonly string[]): Promise<unknown> {
  try {
    const inventory = await loadInventory(sources, { cwd: '/', env: process.env });
    const hosts = [...inventory.hosts.values()];
    return {
      hosts: Object.fromEntries(hosts.map((host) => [host.name, host.vars])),
      names: Object.fromEntries(hosts.map((host) => [host.name, [...host.groups].sort()])),
      groups: Object.fromEntries(
        [...inventory.groups.values()].map(({ name, hosts, groups }) => [
          name,
          { hosts, children: [...groups].sort() },
        ]),
      ),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** Ansible always has the group `ungrouped`; opsctl only when something is in it. */
function normalize({ hosts, names, groups }: Answer): unknown {
  const empty = groups.ungrouped?.hosts.length === 0 && groups.ungrouped.children.length === 0;
  const kept = Object.entries(groups).filter(([name]) => !(empty && name === 'ungrouped'));
  const withoutEmpty = (children: readonly string[]) => children.filter((child) => !(empty && child === 'ungrouped'));
  return {
    hosts,
    names: Object.fromEntries(Object.entries(names).map(([name, list]) => [name, [...list].sort()])),
    groups: Object.fromEntries(
      kept.map(([name, group]) => [name, { hosts: group.hosts, children: withoutEmpty(group.children).sort() }]),
    ),
  };
}
