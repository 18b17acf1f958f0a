import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadProject } from '../../src/documents/project.js';
import { loadRunbook } from '../../src/documents/runbook.js';
import { loadWaivers } from '../../src/documents/waivers.js';
import { loadInventory } from '../../src/inventory/load.js';

const root = resolve(import.meta.dirname, '../..');

/** First lines of the examples for programs other than opsctl. */
const foreign = ['- alert: OpsctlFailed', '- run: opsctl run health.yaml', 'health:'];

interface Example {
  readonly where: string;
  readonly text: string;
}

function pages(): string[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const kinds = readdirSync(join(root, 'src/steps'), { recursive: true, encoding: 'utf8' });
  return [
    'README.md',
    ...docs.map((name) => `docs/${name}`),
    ...kinds.filter((name) => name.endsWith('README.md')).map((name) => `src/steps/${name}`),
  ].sort();
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^ *```yaml\n(.*?)^ *```$/gms)]
    .map((match) => ({
      where: `${page}:${text.slice(0, match.index).split('\n').length + 1}`,
      text: match[1] ?? '',
    }))
    .filter(({ text }) => !foreign.some((start) => text.startsWith(start)));
}

/** What stands around a fragment in a whole runbook. */
function wholeRunbook(text: string): string {
  const steps = text.startsWith('- ') ? `steps:\n${text}` : text;
  const named = /^name:/m.test(steps) ? steps : `name: Example\n${steps}`;
  const complete = /^steps:/m.test(named) ? named : `${named}steps: [{ uses: check.load }]\n`;
  return /^hosts:/m.test(complete) ? complete : `hosts: all\n${complete}`;
}

describe('the YAML examples of the documentation', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-examples-'));
    // Files that the examples name.
    mkdirSync(join(folder, 'goss'));
    for (const file of ['goss.yaml', 'goss/web.yaml'])
      writeFileSync(join(folder, file), 'package: { curl: { installed: true } }\n');
    writeFileSync(join(folder, 'vars.yaml'), 'port: 8080\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function load({ text }: Example): Promise<void> {
    if (/^(groups|hosts):/m.test(text) && !/^steps:/m.test(text)) {
      writeFileSync(join(folder, 'inventory.yaml'), text);
      await loadInventory(['inventory.yaml'], { cwd: folder, env: {} });
    } else if (/^waivers:/m.test(text)) {
      writeFileSync(join(folder, 'waivers.yaml'), text);
      await loadWaivers('waivers.yaml', folder);
    } else if (/^(keep-runs|inventory):/m.test(text)) {
      writeFileSync(join(folder, 'opsctl.yaml'), text);
      await loadProject({ cwd: folder, explicit: '.' });
    } else {
      await loadRunbook('example', { cwd: folder, text: wholeRunbook(text) });
    }
  }

  it.each(pages().flatMap(examplesOf))('$where is accepted', async (example) => {
    await expect(load(example)).resolves.toBeUndefined();
  });
});
