import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { stepKinds } from '../src/steps/index.js';
import type { Fleet } from './fleet.js';
import type { Workload } from './runners.js';

const here = import.meta.dirname;

/** Writes the ten checks as one script and builds the floor. */
export async function prepareWorkload(fleet: Fleet): Promise<Workload> {
  const script = join(fleet.folder, 'ten-checks.sh');
  writeFileSync(script, await oneScript(fleet));
  const floor = join(fleet.folder, 'floor.mjs');
  await build({
    entryPoints: [join(here, 'floor.ts')],
    outfile: floor,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifyWhitespace: true,
    logLevel: 'error',
    external: ['cpu-features', '*.node'],
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);const __dirname=import.meta.dirname,__filename=import.meta.filename;",
    },
  });
  return { fleet, script, floor };
}

/** The probes of bench/ten-checks.yaml with their arguments, one after the other, each in a subshell. */
async function oneScript({ port }: Fleet): Promise<string> {
  const text = readFileSync(join(here, 'ten-checks.yaml'), 'utf8').replaceAll('"${{ params.port }}"', String(port));
  const { steps } = parse(text) as { steps: readonly { uses: string; with?: Record<string, unknown> }[] };
  const parts = await Promise.all(
    steps.map(async ({ uses, with: given }) => {
      const kind = await stepKinds[uses]?.();
      if (kind?.runs !== 'host') throw new Error(`${uses} does not run on the host`);
      const args = kind.args({ ...defaultsOf(kind.params.properties), ...given });
      return `(\nset -- ${args.map((value) => quote(String(value))).join(' ')}\n${kind.probe.text}\n) </dev/null\n`;
    }),
  );
  return `LC_ALL=C PATH=/usr/sbin:/sbin:$PATH; export LC_ALL PATH\n${parts.join('')}echo the end\n`;
}

function defaultsOf(properties: unknown): Record<string, unknown> {
  const entries = Object.entries((properties ?? {}) as Record<string, { default?: unknown }>);
  return Object.fromEntries(
    entries.filter(([, { default: value }]) => value !== undefined).map(([name, { default: value }]) => [name, value]),
  );
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
