/**
 * `npm run bench`: ten read-only checks on many hosts, opsctl beside other tools, as ratios from one run.
 * npm run bench -- --hosts 1,10,100 --runs 3 --only opsctl,floor
 * npm run bench -- --checks baseline --hosts local,50
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { onPath } from '../test/support/programs.js';
import { startFleet } from './fleet.js';
import { type Command, type Cost, measure, median } from './measure.js';
import { type Runner, runners } from './runners.js';
import { checksByName, prepareWorkload } from './workload.js';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: 'local,1,10,100' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    skip: { type: 'string', default: '' },
    checks: { type: 'string', default: 'ten' },
  },
});
const checks = checksByName[values.checks];
if (!checks) throw new Error(`no checks ${values.checks}; there are ${Object.keys(checksByName).join(', ')}`);
// The playbook of the others has the ten checks only.
const only = values.only?.split(',') ?? (values.checks === 'ten' ? undefined : ['opsctl', 'floor', 'ssh-x25519']);
const skip = values.skip.split(',');
const unknown = [...(only ?? []), ...skip].filter((name) => name !== '' && !runners.some((one) => one.name === name));
if (unknown.length > 0)
  throw new Error(`no runner ${unknown.join(', ')}; there are ${runners.map(({ name }) => name).join(', ')}`);
if (process.getuid?.() !== 0) throw new Error('needs root: the cost of a run is counted in a control group');

const chosen = runners.filter(
  ({ name, needs }) => (only?.includes(name) ?? true) && !skip.includes(name) && onPath(needs),
);
const folder = mkdtempSync(join(tmpdir(), 'opsctl-bench-'));
const fleet = await startFleet(folder);
try {
  const workload = await prepareWorkload(fleet, checks);
  say(`${machine()}\n`);
  for (const size of values.hosts.split(',')) {
    const hosts = size === 'local' ? 1 : Number(size);
    const commandOf = (runner: Runner): Command | undefined =>
      size === 'local'
        ? runner.local?.(workload)
        : hosts > (runner.most ?? Number.POSITIVE_INFINITY)
          ? undefined
          : runner.command(hosts, workload);
    const rows = new Map<Runner, Sample[]>();
    // In turn, so that whatever slows the machine for a while slows all of them.
    for (let round = 0; round < Number(values.runs); round++)
      for (const runner of chosen) {
        const command = commandOf(runner);
        if (!command) continue;
        const before = fleet.cpuSeconds();
        const cost = await measure(command);
        if (!(runner.name === 'opsctl' ? checks.statuses : [0]).includes(cost.status ?? -1))
          throw new Error(`${runner.name} on ${size}: exit status ${cost.status}\n${cost.output}`);
        rows.set(runner, [...(rows.get(runner) ?? []), { ...cost, fleetCpuSeconds: fleet.cpuSeconds() - before }]);
      }
    say(table(size, hosts, rows));
  }
} finally {
  await fleet.stop();
  rmSync(folder, { recursive: true });
}

interface Sample extends Cost {
  readonly fleetCpuSeconds: number;
}

function table(size: string, hosts: number, rows: ReadonlyMap<Runner, readonly Sample[]>): string {
  const floor = [...rows].find(([{ name }]) => name === 'floor')?.[1];
  const middle = (samples: readonly Sample[] | undefined, of: (sample: Sample) => number) =>
    median((samples ?? []).map(of));
  const ratio = (own: number, base: number) => (Number.isFinite(base) ? `${(own / base).toFixed(2)} ×` : '–');
  const lines = [...rows].map(([{ title, name }, samples]) => {
    const wall = samples.map(({ seconds }) => seconds);
    const cpu = middle(samples, ({ cpuSeconds }) => cpuSeconds);
    const label = name === 'floor' && size === 'local' ? 'one `sh -s`' : title;
    return `| ${[
      label,
      `${median(wall).toFixed(2)} (${Math.min(...wall).toFixed(2)}–${Math.max(...wall).toFixed(2)})`,
      ratio(
        median(wall),
        middle(floor, ({ seconds }) => seconds),
      ),
      ((cpu / hosts) * 1000).toFixed(1),
      ratio(
        cpu,
        middle(floor, ({ cpuSeconds }) => cpuSeconds),
      ),
      size === 'local' ? '–' : ((middle(samples, ({ fleetCpuSeconds }) => fleetCpuSeconds) / hosts) * 1000).toFixed(0),
      size === 'local'
        ? '–'
        : ratio(
            middle(samples, ({ fleetCpuSeconds }) => fleetCpuSeconds),
            middle(floor, ({ fleetCpuSeconds }) => fleetCpuSeconds),
          ),
      middle(samples, ({ peakMebibytes }) => peakMebibytes).toFixed(0),
    ].join(' | ')} |`;
  });
  return [
    `\n### ${size === 'local' ? 'this machine, no ssh' : `${size} host${hosts === 1 ? '' : 's'}`}, median of ${values.runs}\n`,
    '| runner | wall s | to floor | control CPU ms/host | to floor | hosts’ CPU ms/host | to floor | peak MiB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
    '',
  ].join('\n');
}

function machine(): string {
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${kernel}, Node ${process.version}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
