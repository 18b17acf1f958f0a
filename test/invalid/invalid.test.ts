import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { loadProject } from '../../src/documents/project.js';
import { loadRunbook } from '../../src/documents/runbook.js';
import { formatProblem, UserError } from '../../src/errors.js';
import { loadInventory } from '../../src/inventory/load.js';
import { readWaivers } from '../../src/perform/waivers.js';

/**
 * The bad-input corpus: one mistake a case, and exactly what is told about it.
 *
 * `<kind>/<case>.yaml` is a file, `<kind>/<case>/` a folder with `runbook.yaml`, `inventory.*`, `opsctl.yaml` or
 * `args` (a command line, one argument a line). Beside it `<case>.expected`: the first line is `exit N`, the rest
 * is standard error. A case that is accepted has `exit 0` alone. `npx vitest run test/invalid -u` writes them anew.
 */
const here = dirname(fileURLToPath(import.meta.url));

type Outcome = { readonly exit: number; readonly text: string };
type Kind = 'runbook' | 'inventory' | 'project' | 'waivers' | 'command';

const loaders: Readonly<Record<Kind, (file: string, cwd: string) => Promise<unknown>>> = {
  runbook: (file, cwd) => loadRunbook(file, { cwd }),
  inventory: (file, cwd) => loadInventory([file], { cwd, env: {} }),
  project: (_file, cwd) => loadProject({ cwd, explicit: '.' }),
  waivers: loadWaivers,
  command: () => Promise.reject(new Error('a command line is run, not loaded')),
};

/** A case that is a folder has an inventory, too, in which the host patterns are looked for. */
async function loadWaivers(file: string, cwd: string): Promise<unknown> {
  const project = await loadProject({ cwd, explicit: '.' }).catch(() => ({ root: cwd, inventory: [], knownHosts: [], outputs: [] }));
  const inventory = await loadInventory(project.inventory, { cwd, env: {} });
  return readWaivers({ file, otherHosts: false }, project, inventory, cwd);
}

const mainFiles: Readonly<Record<Kind, RegExp>> = {
  runbook: /^runbook\./,
  inventory: /^(inventory|hosts)\b/,
  project: /^opsctl\.yaml$/,
  waivers: /^waivers\.yaml$/,
  command: /^args$/,
};

async function outcomeOf(kind: Kind, file: string): Promise<Outcome> {
  const cwd = dirname(file);
  if (kind === 'command') return runCommand(file, cwd);
  try {
    await loaders[kind](basename(file), cwd);
    return { exit: 0, text: '' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { exit: error.exit, text: error.problems.map((problem) => `${formatProblem(problem)}\n`).join('') };
  }
}

async function runCommand(file: string, cwd: string): Promise<Outcome> {
  const args = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const bin = join(here, '../../bin/opsctl.js');
  return promisify(execFile)(process.execPath, [bin, ...args], { cwd, timeout: 20_000 }).then(
    ({ stderr }) => ({ exit: 0, text: stderr }),
    (error: { code: number; stderr: string }) => ({ exit: error.code, text: error.stderr }),
  );
}

/** Messages name files as they were given; only what is outside the case differs from machine to machine. */
function told({ exit, text }: Outcome, folder: string): string {
  return `exit ${exit}\n${text.replaceAll(folder, '<case>')}`;
}

for (const kind of Object.keys(loaders) as Kind[]) {
  const folder = join(here, kind);
  if (!existsSync(folder)) continue;
  describe(`a bad ${kind}`, () => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.endsWith('.expected')) continue;
      const main = entry.isDirectory() ? readdirSync(join(folder, entry.name)).find((name) => mainFiles[kind].test(name)) : '';
      const file = join(folder, entry.name, main ?? 'missing');
      const name = entry.isDirectory() ? entry.name : entry.name.replace(/\.[^.]+$/, '');
      it(name, async () => {
        const path = file.replace(/\/$/, '');

        const outcome = await outcomeOf(kind, path);

        await expect(told(outcome, dirname(path))).toMatchFileSnapshot(join(folder, `${name}.expected`));
      });
    }
  });
}

describe('bad input that is made here', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'opsctl-invalid-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const runbook = 'name: x\nsteps:\n  - uses: check.load\n';

  const files: Readonly<Record<string, Buffer>> = {
    'Y18-utf-16.yaml': Buffer.from(`\ufeff${runbook}`, 'utf16le'),
    'Y18-utf-16-without-mark.yaml': Buffer.from(runbook, 'utf16le'),
    'Y19-invalid-utf-8.yaml': Buffer.concat([Buffer.from('a: '), Buffer.from([0xff, 0xfe]), Buffer.from('\n')]),
    'Y20-bom-and-crlf.yaml': Buffer.from(`\ufeff${runbook.replaceAll('\n', '\r\n')}`),
    'Y20-only-cr.yaml': Buffer.from(runbook.replaceAll('\n', '\r')),
    'Y22-escape.yaml': Buffer.from(`name: \u001b[2Jx\n${runbook.slice(8)}`),
    'Y22-nul.yaml': Buffer.from(`name: a\u0000b\n${runbook.slice(8)}`),
    'Y22-bidi.yaml': Buffer.from(`name: a\u202eb\n${runbook.slice(8)}`),
    'Y28-too-big.yaml': Buffer.from(`${runbook}${'#'.repeat(11 * 1024 * 1024)}\n`),
    'J01-comma.json': Buffer.from('{"name": "x", "steps": [{"uses": "check.load"},]}\n'),
    'J02-duplicate-key.json': Buffer.from('{"name": "x",\n "name": "y", "steps": [{"uses": "check.load"}]}\n'),
    'J03-one-long-line.json': Buffer.from(`{"name": "x", "vars": {"a": "${'y'.repeat(300)}"}, "steps": [{"uses": "check.laod"}]}\n`),
    'J04-good.json': Buffer.from('{"name": "x", "steps": [{"uses": "check.load"}]}\n'),
  };
  for (const [name, bytes] of Object.entries(files)) {
    it(name, async () => {
      const file = join(scratch, name);
      writeFileSync(file, bytes);

      const outcome = await outcomeOf('runbook', file);

      await expect(told(outcome, scratch)).toMatchFileSnapshot(join(here, 'generated', `${name.replace(/\.\w+$/, '')}.expected`));
    });
  }
});
