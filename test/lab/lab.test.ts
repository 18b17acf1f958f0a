import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { crashLoop, failUnit, fillInodes, fillSpace, killMount, reviveMount } from './faults.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { eventually } from './process.js';

describeWith('the lab', labNeeds, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ hosts: 2 });
  }, 300_000);
  afterAll(() => lab?.stop());

  it('boots hosts with a running systemd, sudo and their own name', async () => {
    for (const host of lab.hosts) {
      const answer = await lab.ssh(host, 'sudo -n hostname && systemctl is-system-running --wait');

      expect(answer.stdout).toBe(`${host.name}\nrunning\n`);
    }
  });

  it('serves http, a valid and an expired certificate', async () => {
    const script =
      'fetch(process.argv[1]).then((answer) => answer.text(), (error) => error.cause.code).then(console.log)';
    const get = (url: string) =>
      lab.run([process.execPath, '-e', script, url], { env: { NODE_EXTRA_CA_CERTS: lab.authority } });

    const [plain, valid, expired] = [
      await get('http://host1/health'),
      await get('https://host1/health'),
      await get('https://host1:8443/'),
    ];

    expect(plain.stdout).toBe('ok\n\n');
    expect(valid.stdout).toBe('ok\n\n');
    expect(expired.stdout).toBe('CERT_HAS_EXPIRED\n');
  });

  it('reboots a host into a new boot, also late', async () => {
    const host = lab.host('host1');
    const before = await host.bootId();

    await host.reboot({ stayDown: true });
    await eventually('host1 is gone', 20, async () => !(await host.answers()));
    await host.comeBack();

    expect(await host.bootId()).not.toBe(before);
  });

  it('cuts and restores one link and leaves the other', async () => {
    await lab.host('host1').cutLink();
    const cut = await lab.ssh(lab.host('host1'), 'true');
    const other = await lab.ssh(lab.host('host2'), 'true');
    await lab.host('host1').restoreLink();
    const restored = await lab.ssh(lab.host('host1'), 'true');

    expect([cut.code, other.code, restored.code]).toEqual([255, 0, 0]);
  });

  it('mutes sshd', async () => {
    await lab.host('host1').freezeSshd();
    const mute = await lab.ssh(lab.host('host1'), 'true');
    await lab.host('host1').thawSshd();
    const answering = await lab.ssh(lab.host('host1'), 'true');

    expect(mute.stderr).toContain('timed out');
    expect(answering.code).toBe(0);
  });

  it('plants the faults it names', async () => {
    const host = lab.host('host2');

    await fillSpace(host);
    await fillInodes(host);
    await killMount(host);
    await failUnit(host);
    await crashLoop(host);

    expect(await host.must('df -P /srv/full | tail -n 1')).toMatch(/ 100% /);
    expect(await host.must('df -Pi /srv/inodes | tail -n 1')).toMatch(/ 100% /);
    expect(await host.must('df -P /srv/inodes | tail -n 1')).not.toMatch(/ 100% /);
    expect((await host.exec('timeout -s KILL 1 stat /srv/dead')).code).not.toBe(0);
    expect((await host.exec('systemctl is-failed --quiet broken')).code).toBe(0);
    expect(Number(await host.must('systemctl show -P NRestarts flapping'))).toBeGreaterThanOrEqual(3);
    await reviveMount(host);
    expect((await host.exec('timeout 5 stat /srv/dead')).code).toBe(0);
  });

  it('changes the host key', async () => {
    await lab.host('host2').changeHostKey();

    const answer = await lab.ssh(lab.host('host2'), 'true');

    expect(answer.stderr).toContain('Host key verification failed');
  });

  it('leaves nothing behind when the process that started it is killed', async () => {
    const starter = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'up.ts'), '--hosts', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    starter.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await eventually('the second lab is up', 60, async () => said.includes('Ctrl-C'));
    const folder = /^folder\s+(\S+)$/m.exec(said)?.[1] ?? 'no folder';
    const processes = processesOf(folder);

    starter.kill('SIGKILL');
    await eventually('its processes are gone', 10, async () => processesOf(folder).length === 0);
    const third = await startLab({ hosts: 0 });
    await third.stop();

    expect(processes.length).toBeGreaterThan(0);
    expect(existsSync(folder)).toBe(false);
  });
});

/** Processes whose command line or environment names the folder. */
function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && words(pid).includes(folder));
}

function words(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
