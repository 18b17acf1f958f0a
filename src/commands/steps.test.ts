import { describe, expect, it } from 'vitest';
import { fakeTerminal } from '../../test/support/terminal.js';
import { stepKinds } from '../steps/index.js';
import type { CommandContext } from './command.js';
import { runSteps } from './steps.js';

async function say(kind?: string, json = false): Promise<string> {
  const terminal = fakeTerminal();
  await runSteps({ kind, json }, { terminal } as unknown as CommandContext);
  return terminal.stdout();
}

describe('opsctl steps', () => {
  it('lists every kind, and marks those that change a host', async () => {
    const said = await say();

    for (const kind of Object.keys(stepKinds)) expect(said).toContain(`${kind} `);
    expect(said).toMatch(/^check\.disk +Space and inodes/m);
    expect(said).toMatch(/^run\.command +change {2}Run a shell command$/m);
    expect(said).toMatch(/^flow\.runbook /m);
  });

  it('lists one family', async () => {
    const said = await say('run');

    expect(said).toContain('run.script');
    expect(said).not.toContain('check.');
  });

  it('tells all about one kind, with a step to paste', async () => {
    expect(await say('check.port')).toBe(`check.port  Something on the host listens on a port, and on which addresses
runs on the host, changes nothing, times out after 30 s

  port  (whole number; required)
      Port number.
      example: 443
  protocol  (one of tcp, udp; tcp)
      Protocol.
  state  (one of listening, free; listening)
      Whether something should listen, or nothing.
  address  (text; optional)
      Where it should listen: \`any\` (a wildcard address, reachable from outside), \`loopback\`
      (nothing but loopback), or one address (a wildcard counts). Not looked at when absent.
      example: any  loopback  "10.0.0.5"

  - uses: check.port
    with: { port: 443 }
`);
  });

  it('has a page for every kind', async () => {
    for (const kind of [...Object.keys(stepKinds), 'flow.runbook'])
      expect(await say(kind)).toContain(`  - uses: ${kind}\n`);
  });

  it('prints the same as JSON', async () => {
    const one = JSON.parse(await say('run.command', true));
    const all = JSON.parse(await say(undefined, true));

    expect(one).toMatchObject({ kind: 'run.command', effect: 'declared', runs: 'host', timeout: 300 });
    expect(all).toContainEqual(one);
    expect(one.params[0]).toMatchObject({ name: 'command', required: true, type: 'text' });
  });

  it('helps with a typo', async () => {
    await expect(say('check.dsk')).rejects.toThrow(
      'E_STEP_UNKNOWN unknown step "check.dsk"; did you mean "check.disk"?',
    );
    await expect(say('nonsense')).rejects.toThrow('`opsctl steps` lists them');
  });
});
