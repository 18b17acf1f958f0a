import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { judgeFrames } from '../../src/execute/attempt.js';
import { Capture } from '../../src/execute/payload/frames.js';
import { stepKinds } from '../../src/steps/index.js';
import type { HostStep } from '../../src/steps/step.js';
import { look } from './look.js';
import { withDefaults } from './probe.js';

/** A fault that a monitoring plugin and a kind of opsctl look at. What a test starts is known late, hence functions. */
export interface Comparison {
  readonly plugin: string;
  readonly fault: string;
  readonly args: () => readonly string[];
  readonly kind: string;
  readonly given?: () => object;
  /** Program that runs both, such as a network namespace of their own. */
  readonly within?: () => readonly string[];
  /** In place of `kind`: how opsctl is asked. */
  readonly ask?: () => Promise<{ readonly outcome: string; readonly summary: string }>;
  /** What the plugin says, and opsctl too unless docs/monitoring-plugins.md has another word. */
  readonly says: keyof typeof outcomes;
}

const outcomes = {
  OK: 'ok',
  WARNING: 'warning',
  CRITICAL: 'failed',
  UNKNOWN: 'unknown',
  'no answer': 'unknown',
} as const;
const folder = '/usr/lib/nagios/plugins';

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Not spawnSync: servers of this process must go on answering. */
function run(program: string, args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  return new Promise((resolve) => {
    const child = execFile(program, args, { env, timeout: 60_000, cwd: '/' }, (error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? (error ? 137 : 0), stdout, stderr });
    });
    child.stdin?.end();
  });
}

async function askKind({ kind: name, given, within }: Comparison) {
  const load = stepKinds[name];
  if (!load) throw new Error(`no kind ${name}`);
  const kind = await load();
  const params = withDefaults(kind, given?.());
  const problems = kind.validate?.(params) ?? [];
  if (problems.length > 0) throw new Error(`${name}: ${JSON.stringify(problems)}`);
  if (kind.runs === 'controller') return look(kind, given?.() ?? {});
  // biome-ignore lint/suspicious/noExplicitAny: a kind of any params and data
  const host = kind as HostStep<any, any>;
  const [program = 'sh', ...rest] = [...(within?.() ?? []), 'sh', '-c', host.probe.text, 'sh'];
  const { status, stdout, stderr } = await run(program, [...rest, ...host.args(params).map(String)]);
  const captured = (said: string) => {
    const capture = new Capture(1_048_576);
    capture.push(Buffer.from(said));
    return capture;
  };
  const ended = { began: true, exitStatus: status, ended: 'done', complete: true } as const;
  const frames = { stdout: captured(stdout), stderr: captured(stderr), ...ended };
  return judgeFrames(host, params, frames, { host: 'web1', now: new Date() }, 30);
}

/** Rows of the table of differences: `plugin | fault | plugin says | opsctl says | why`. */
function documentedDifferences(): ReadonlyMap<string, { readonly says: string; readonly ours: string }> {
  const page = readFileSync(new URL('../../docs/monitoring-plugins.md', import.meta.url), 'utf8');
  const table = page.split('## Where they differ')[1]?.split('\n## ')[0] ?? '';
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  return new Map(rows.map(([, plugin, fault, says = '', ours = '']) => [`${plugin}: ${fault}`, { says, ours }]));
}

/** One test a comparison. Both must say the same, or differ as the documentation has it. */
export function compare(comparisons: readonly Comparison[]): void {
  it.each(comparisons.map((one) => [one.plugin, one.fault, one] as const))('%s and opsctl: %s', async (_a, _b, one) => {
    const [program = '', ...rest] = [...(one.within?.() ?? []), `${folder}/${one.plugin}`];
    const plugin = await run(program, [...rest, ...one.args()]);
    const ours = await (one.ask?.() ?? askKind(one));

    const difference = documentedDifferences().get(`${one.plugin}: ${one.fault}`);
    const told = { says: Object.keys(outcomes)[plugin.status] ?? 'no answer', ours: ours.outcome };
    const words = `${plugin.stdout}${plugin.stderr}${one.kind}: ${ours.summary}`;
    expect({ ...told, words }).toEqual({ says: one.says, ours: difference?.ours ?? outcomes[one.says], words });
    if (difference) expect(difference.says).toBe(one.says);
  });
}

/** Every difference that the documentation tells of these plugins is one that was compared. */
export function compareDifferences(comparisons: readonly Comparison[]): void {
  it('differ in nothing else that is documented', () => {
    const compared = new Set(comparisons.map(({ plugin, fault }) => `${plugin}: ${fault}`));
    const plugins = new Set(comparisons.map(({ plugin }) => plugin));
    const documented = [...documentedDifferences().keys()].filter((key) => plugins.has(key.split(':')[0] ?? ''));

    expect(documented.filter((key) => !compared.has(key))).toEqual([]);
  });
}
