import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { CommandContext } from '../src/commands/command.js';
import { readParams } from '../src/commands/run-flags.js';
import { prepare } from '../src/perform/prepare.js';
import type { Fleet } from './fleet.js';
import type { Workload } from './runners.js';

const here = import.meta.dirname;

/** What is measured: a runbook, and the flags that it is run with. */
export interface Checks {
  readonly runbook: string;
  readonly flags: (fleet: Fleet) => readonly string[];
  /** Whatever the checks find is fine: hosts of a benchmark are not cared for. */
  readonly statuses: readonly number[];
}

export const checksByName: Readonly<Record<string, Checks>> = {
  ten: {
    runbook: join(here, 'ten-checks.yaml'),
    flags: ({ port }) => ['--param', `port=${port}`],
    statuses: [0],
  },
  baseline: {
    runbook: join(here, '../runbooks/linux-baseline.yaml'),
    // Looking for updates takes longer than all the rest, and would hide what the rest costs.
    flags: ({ port }) => ['--param', `ssh_port=${port}`, '--skip-tags', 'updates'],
    statuses: [0, 1, 3],
  },
};

/** Writes the checks as one script and builds the floor. */
export async function prepareWorkload(fleet: Fleet, checks: Checks): Promise<Workload> {
  const script = join(fleet.folder, 'checks.sh');
  writeFileSync(script, await oneScript(fleet, checks));
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
  return { fleet, checks, script, floor };
}

/** The probes of the runbook with their arguments, one after the other, each in a subshell: what opsctl plans to run. */
async function oneScript(fleet: Fleet, { runbook, flags }: Checks): Promise<string> {
  const list = flags(fleet);
  const after = (flag: string) => list.flatMap((word, index) => (list[index - 1] === flag ? [word] : []));
  const signal = new AbortController().signal;
  const user = { name: 'root', uid: 0, home: fleet.folder, pid: process.pid };
  const { plan } = await prepare(
    { runbook, mode: 'run', params: readParams(after('--param')), skipTags: after('--skip-tags') },
    { cwd: fleet.folder, env: {}, user, signal } as unknown as CommandContext,
  );
  const parts = (plan.hosts[0]?.body ?? []).flatMap((segment) => {
    if (segment.type !== 'round' || segment.carrier !== 'host') return [];
    return segment.items.flatMap(({ step: { kind }, params, skip, deferred }) => {
      if (skip) return [];
      if (kind.runs !== 'host' || !params || deferred) throw new Error(`${kind.kind} cannot be put into one script`);
      const args = kind.args(params).map((value) => quote(String(value)));
      return [`(\nset -- ${args.join(' ')}\n${kind.probe.text}\n) </dev/null\n`];
    });
  });
  return `LC_ALL=C PATH=/usr/sbin:/sbin:$PATH; export LC_ALL PATH\n${parts.join('')}echo the end\n`;
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
