import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { failUnit } from './faults.js';
import { type Lab, labNeeds, startLab } from './lab.js';

describeWith('runbooks/linux-baseline.yaml on a fresh Debian', labNeeds, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['fresh', 'broken'], packages: ['libstdc++6'] });
    // The root of the lab lets root in without a password, which the baseline finds.
    await lab.host('fresh').must("usermod -p '*' root");
    cpSync(join(import.meta.dirname, '../../runbooks'), join(lab.folder, 'project/runbooks'), { recursive: true });
  }, 300_000);
  afterAll(() => lab?.stop());

  const run = async (host: string): Promise<RunResult> => {
    const flags = ['-l', host, '-p', 'privileged=true', '-o', 'json'];
    // Load and kernel are those of the machine that carries the lab, its hosts have no kernel to start anew, and its package lists are as old as its root.
    const skip = ['--skip-tags', 'kernel,updates,gateway,restart'];
    const ended = await lab.opsctl(['run', 'runbooks/linux-baseline.yaml', ...flags, ...skip, '-p', 'load=1000']);
    if (!ended.stdout) throw new Error(ended.stderr);
    return JSON.parse(ended.stdout) as RunResult;
  };
  const badOf = (result: RunResult) =>
    (result.hosts[0]?.steps ?? [])
      .filter(({ outcome }) => !['ok', 'skipped'].includes(outcome))
      .map(({ step, item, outcome, summary }) => `${step} ${item ?? ''} ${outcome}: ${summary}`);

  it('finds nothing wrong', async () => {
    const result = await run('fresh');

    expect(badOf(result)).toEqual([]);
    expect((result.hosts[0]?.steps ?? []).filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(50);
  });

  it('finds what was broken', async () => {
    const broken = lab.host('broken');
    await failUnit(broken);
    await broken.must('chmod 644 /etc/shadow && chmod 777 /tmp && useradd -o -u 0 toor && touch /root/.rhosts');
    await broken.must('chmod g+w /etc/sudoers.d && echo PermitRootLogin yes >/etc/ssh/sshd_config.d/00-root.conf');

    const result = await run('broken');

    const names = badOf(result).map((line) => line.split(/ (?:failed|unknown|warning):/)[0]?.trim());
    expect(names.sort()).toEqual(
      [
        'units',
        'empty_passwords',
        'only_root',
        'user_ids',
        'password_files /etc/shadow',
        'settings /etc/sudoers.d',
        'temporary /tmp',
        'sshd_settings',
        'rhosts /root/.rhosts',
      ].sort(),
    );
  });
});
