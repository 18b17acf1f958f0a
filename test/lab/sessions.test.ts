import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import kind from '../../src/steps/check/sessions/step.js';
import { describeWith } from '../support/needs.js';
import { judgeOutput, outputOf, withDefaults } from '../support/probe.js';
import { type Lab, labNeeds, startLab } from './lab.js';

describeWith('check.sessions on a systemd host', labNeeds, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['web'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  /** As opsctl runs it: over SSH, which is a session, too. */
  async function look(shell: string) {
    const probe = Buffer.from(kind.probe.text).toString('base64');
    const { stdout } = await lab.ssh(lab.host('web'), `echo ${probe} | base64 -d | ${shell}`);
    return kind.parse(outputOf(String(stdout)), withDefaults(kind));
  }

  it.each(['dash', 'bash', 'busybox sh'])('sees who is logged in, and not itself, with %s', async (shell) => {
    // A session of before may still be closing.
    let empty = await look(shell);
    for (let tries = 0; empty.sessions.length > 0 && tries < 50; tries += 1) {
      await sleep(200);
      empty = await look(shell);
    }
    expect(empty).toEqual({ source: 'logind', sessions: [] });

    const config = join(lab.folder, 'home/.ssh/config');
    const person = lab.start(['ssh', '-F', config, '-tt', 'web', 'sleep 300']);
    try {
      let seen = await look(shell);
      for (let tries = 0; !seen.sessions[0]?.terminal && tries < 50; tries += 1) {
        await sleep(200);
        seen = await look(shell);
      }
      expect(seen.sessions).toEqual([
        {
          user: expect.any(String),
          terminal: expect.stringMatching(/^pts\/\d+$/),
          remote: expect.any(String),
          idle: expect.any(Number),
        },
      ]);
      expect(seen.sessions[0]?.remote).not.toBe('');
    } finally {
      process.kill(person.pid);
      await person.finished.catch(() => undefined);
    }
    // The session closes when its last process has gone.
    for (let tries = 0; (await look(shell)).sessions.length > 0 && tries < 50; tries += 1) await sleep(200);
  });

  it('says so where nobody keeps a list', async () => {
    const probe = Buffer.from(kind.probe.text).toString('base64');
    const hidden = 'unshare -m sh -c "mount -t tmpfs none /run && exec sh"';
    const { stdout } = await lab.ssh(
      lab.host('web'),
      `echo ${probe} | base64 -d | sudo -n ${hidden} 2>&1; echo "status $?"`,
    );

    expect(String(stdout)).toContain('neither logind nor utmp tells here who is logged in');
    expect(String(stdout)).toContain('status 69');
    expect(judgeOutput(kind, 'now\t1\nsource\tlogind\nend\t\n').summary).toBe('nobody is logged in');
  });
});
