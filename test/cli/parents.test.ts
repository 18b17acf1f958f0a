import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { makeProject } from '../support/opsctl.js';

const project = makeProject({
  'book.yaml':
    'name: Look\nsteps:\n  - uses: check.uptime\n  - { uses: run.command, with: { command: "true", effect: read } }\n',
});
afterAll(() => project.remove());

let closed = 0;
beforeAll(async () => {
  // A port that was free a moment ago: nothing listens there.
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closed = (server.address() as { port: number }).port;
  await new Promise((resolve) => server.close(resolve));
});

async function run(inventory: string, ...args: readonly string[]) {
  project.write('hosts.yaml', inventory.replaceAll('CLOSED', String(closed)));
  const json = await project.run(['run', 'book.yaml', '-i', 'hosts.yaml', '-o', 'json', ...args], {
    // Never sent: nothing listens. Without any credential a login is refused before it is tried.
    env: { PW: 'not-asked-for' },
  });
  if (json.stdout === '') throw new Error(json.stderr);
  const result: RunResult = json.json();
  const table = await project.run(['report', 'last']);
  return { code: json.code, result, table: table.stdout };
}

const told = ({ hosts }: RunResult) => hosts.map(({ name, reason, summary }) => [name, reason, summary]);

describe('parents', () => {
  it('explain the hosts behind them, in one line and counted once', async () => {
    const { code, result, table } = await run(`
defaults: { address: 127.0.0.1, port: CLOSED, user: nobody, password: { secret: "env:PW" } }
groups:
  site: { hosts: [router1, "web[1:3]"], connect: { parents: router1 } }
hosts:
  here: { transport: local }
`);

    expect(told(result).slice(0, 4)).toEqual([
      ['router1', 'connect-refused', expect.stringContaining('router1')],
      ...[1, 2, 3].map((index) => [`web${index}`, 'parent-down', 'behind router1, which is unreachable']),
    ]);
    expect(result.exit).toEqual({ code: 4, reasons: [{ code: 4, reason: 'unreachable', hosts: 1 }] });
    expect(code).toBe(4);
    // Once with what to do, once in the table.
    expect(table.match(/behind router1/g)).toHaveLength(2);
    expect(table.indexOf('behind router1')).toBeGreaterThan(table.indexOf('connect-refused'));
    expect(table).toContain('web[1-3]');
  });
});

describeWith('a jump host that cannot be reached', ['ssh'], () => {
  it.each(['ssh', 'openssh'])('explains the hosts behind it, over %s, in the run or not', async (transport) => {
    const inventory = `
defaults: { user: nobody, transport: ${transport}${transport === 'ssh' ? ', password: { secret: "env:PW" }' : ''} }
groups:
  inner: { hosts: [db1, db2], connect: { jump: bastion, address: 10.255.255.1 } }
hosts:
  bastion: { address: 127.0.0.1, port: CLOSED }
`;

    const all = await run(inventory);
    const inner = await run(inventory, '-l', 'inner');

    for (const { code, result } of [all, inner]) {
      expect(told(result).filter(([name]) => name !== 'bastion')).toEqual(
        ['db1', 'db2'].map((name) => [name, 'parent-down', 'behind bastion, which is unreachable']),
      );
      expect(result.exit.reasons).toEqual([{ code: 4, reason: 'unreachable', hosts: 1 }]);
      expect(code).toBe(4);
    }
  });
});
