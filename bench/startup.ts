/** Start-up: `opsctl --version` beside `node -e 0`, and ten local checks beside one sh that does the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startFleet } from './fleet.js';
import { type Command, measure, median } from './measure.js';
import { runners } from './runners.js';
import { type Checks, checksByName, prepareWorkload } from './workload.js';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' } } });
const executable = join(import.meta.dirname, '../bin/opsctl.js');
const folder = mkdtempSync(join(tmpdir(), 'opsctl-bench-'));
// Something has to listen on the port that one of the checks looks at.
const fleet = await startFleet(folder);
try {
  const workload = await prepareWorkload(fleet, checksByName.ten as Checks);
  const local = (name: string) =>
    runners.find((runner) => runner.name === name)?.local?.(workload) ?? { argv: ['false'] };
  const commands: Readonly<Record<string, Command>> = {
    '`node -e 0`': { argv: [process.execPath, '-e', '0'] },
    '`opsctl --version`': { argv: [process.execPath, executable, '--version'], cwd: folder },
    'ten checks, one `sh -s`': local('floor'),
    'ten checks, `opsctl run` on this machine': local('opsctl'),
  };
  const times = new Map(Object.keys(commands).map((title) => [title, [] as number[]]));
  for (let round = 0; round <= Number(values.runs); round++)
    for (const [title, command] of Object.entries(commands)) {
      const { status, seconds, output } = await measure(command);
      if (status !== 0) throw new Error(`${title}: exit status ${status}\n${output}`);
      // The first round warms the caches.
      if (round > 0) times.get(title)?.push(seconds);
    }
  const base = median(times.get('`node -e 0`') ?? []);
  const rows = [...times].map(
    ([title, seconds]) => `| ${title} | ${median(seconds).toFixed(3)} | ${(median(seconds) / base).toFixed(2)} × |\n`,
  );
  process.stdout.write(`| command | wall s, median of ${values.runs} | to node |\n|---|---:|---:|\n${rows.join('')}`);
} finally {
  await fleet.stop();
  rmSync(folder, { recursive: true });
}
