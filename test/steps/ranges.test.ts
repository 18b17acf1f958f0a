import { spawn, spawnSync } from 'node:child_process';
import { afterAll, expect, it } from 'vitest';
import { judgeLevel, parseRange } from '../../src/steps/range.js';
import { describeWith } from '../support/needs.js';

const plugin = '/usr/lib/nagios/plugins/check_procs';

describeWith('ranges of the Monitoring Plugins', ['check_procs'], () => {
  const marker = `opsctl-range-${process.pid}`;
  const children = Array.from({ length: 3 }, () =>
    spawn('sh', ['-c', 'read -r line', marker], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );

  afterAll(() => {
    for (const child of children) child.stdin.end();
  });

  it.each(['2', '3', '4', '4:', '3:', '~:2', '~:3', '1:5', '4:9', '@1:5', '@4:9', '@3', '@~:2', '0:0', ':3'])(
    'alerts on three processes for %s as check_procs does',
    (range) => {
      const { status } = spawnSync(plugin, ['-a', marker, '-c', range], { encoding: 'utf8' });

      expect(judgeLevel(3, undefined, parseRange(range, 'count'))).toBe(status === 2 ? 'failed' : 'ok');
      expect([0, 2]).toContain(status);
    },
  );
});
