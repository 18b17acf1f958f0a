import { afterAll, expect, it } from 'vitest';
import { look } from '../../../../test/support/look.js';
import { describeWith } from '../../../../test/support/needs.js';
import { withDefaults } from '../../../../test/support/probe.js';
import { faults, servers } from '../../../../test/support/servers.js';
import { type Sshd, startSshd } from '../../../../test/support/sshd.js';
import kind from './step.js';

describeWith('check.ssh', ['sshd', 'root'], () => {
  const local = servers();
  let sshd: Sshd | undefined;

  afterAll(async () => {
    await local.stop();
    await sshd?.stop();
  });

  const say = (text: string) => local.listen((socket) => socket.end(text));

  it('knows a real sshd', async () => {
    sshd = await startSshd();
    const { port, address } = sshd;

    expect(await look(kind, { port, address, software: '^OpenSSH_\\d' })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringMatching(/ is OpenSSH_\d.*, answers in [\d.]+ m?s$/),
      data: { banner: { protocol: '2.0' } },
      metrics: [{ name: 'time', unit: 'seconds' }],
    });
    expect(await look(kind, { port, address, software: 'dropbear' })).toMatchObject({ reason: 'no-match' });
    expect(await look(kind, { port, address, 'software-lacks': '^OpenSSH' })).toMatchObject({ reason: 'match' });
    expect(await look(kind, { port, address, critical: '@0:60s' })).toMatchObject({ outcome: 'failed' });
  });

  it('reads past the lines before the banner', async () => {
    const port = await say('Welcome\r\n\r\nSSH-2.0-dropbear_2022.83\r\n');

    expect((await look(kind, { port })).summary).toContain('is dropbear_2022.83, answers');
  });

  it('fails for the first version of the protocol', async () => {
    expect(await look(kind, { port: await say('SSH-1.99-Cisco-1.25\n') })).toMatchObject({ reason: 'old-protocol' });
  });

  it('passes on why the server turns us away', async () => {
    expect(await look(kind, { port: await say('Exceeded MaxStartups\r\n') })).toMatchObject({
      outcome: 'failed',
      summary: expect.stringContaining('turns us away: Exceeded MaxStartups'),
    });
  });

  it.each(Object.keys(faults))('fails for a server that is wrong: %s', async (fault) => {
    const port = await local.listen(faults[fault] as never);

    expect((await look(kind, { port, deadline: '400ms' })).outcome).toBe('failed');
  });

  it('fails for words without end, and for half a banner', async () => {
    expect((await look(kind, { port: await say('line\n'.repeat(200)) })).reason).toBe('protocol-error');
    expect((await look(kind, { port: await say('SSH-2.0-Open') })).reason).toBe('protocol-error');
    expect((await look(kind, { port: await say('SSH-\n') })).reason).toBe('protocol-error');
    expect((await look(kind, { port: await local.freePort() })).reason).toBe('connect-refused');
  });

  it('stops when the step is stopped', async () => {
    const port = await local.listen(() => {});

    await expect(look(kind, { port }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(kind.validate?.(withDefaults(kind, { software: '(' }))).toHaveLength(1);
  });
});
