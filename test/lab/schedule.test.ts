import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.js';
import { stopService } from './faults.js';
import { executable, type Lab, labNeeds, startLab } from './lab.js';
import { eventually } from './process.js';

const runbook = `name: Web servers
steps:
  - { id: disk, uses: check.disk }
  - { id: web, uses: check.tcp, with: { port: 80 } }
`;

/** Runs as cron of Debian and as systemd start them, on a host of their own, over SSH to another one. */
describeWith('a schedule on a real host', labNeeds, () => {
  let lab: Lab;
  const onControl = (command: string) => lab.host('control').must(command);
  const made = (target: string, more: string) =>
    onControl(
      `cd /srv/ops && runuser -u ops -- /opt/node /opt/opsctl/bin/opsctl.js schedule web.yaml --as ${target} ${more} --jitter 0 --into /tmp/${target} 2>&1`,
    );

  beforeAll(async () => {
    lab = await startLab({ hosts: ['control', 'web1'], packages: ['libstdc++6'] });
    const opsctl = dirname(dirname(executable));
    await lab.run(
      [
        'sh',
        '-c',
        `cat '${process.execPath}' | ssh -F "$HOME/.ssh/config" control 'sudo sh -c "cat >/opt/node; chmod 755 /opt/node"' &&
         tar -C '${opsctl}' -c bin dist package.json | ssh -F "$HOME/.ssh/config" control 'sudo mkdir /opt/opsctl; sudo tar -C /opt/opsctl -x'`,
      ],
      { timeoutSeconds: 120 },
    );
    const control = lab.host('control');
    const address = lab.host('web1').address;
    await control.writeFile('/home/ops/.ssh/id_ed25519', readFileSync(lab.identity, 'utf8'), '600');
    await control.writeFile('/srv/ops/known_hosts', readFileSync(lab.knownHosts, 'utf8'));
    await control.writeFile('/srv/ops/opsctl.yaml', 'inventory: inventory.yaml\nknown_hosts: known_hosts\n');
    await control.writeFile(
      '/srv/ops/inventory.yaml',
      `hosts:\n  web1: { address: ${address}, connect: { user: ops, identity: ~/.ssh/id_ed25519 } }\n`,
    );
    await control.writeFile('/srv/ops/web.yaml', runbook);
    await control.writeFile('/usr/sbin/sendmail', '#!/bin/sh\ncat >>/tmp/mail\n', '755');
    await onControl('chown ops /home/ops/.ssh/id_ed25519');
  }, 300_000);
  afterAll(() => lab?.stop());

  /** Does what was told, word for word. */
  const follow = async (told: string) => {
    const lines = told.split('next:\n')[1]?.split('\n') ?? [];
    for (const line of lines.map((text) => text.trim()))
      if (line !== '' && !line.startsWith('#')) await onControl(line);
  };

  it('of systemd runs in its sandbox, and fails when a check does', async () => {
    await follow(await made('systemd', '--at 03:00'));

    const verified = await lab.host('control').exec('systemd-analyze verify /etc/systemd/system/opsctl-web.timer');
    const started = await lab.host('control').exec('systemctl start opsctl-web.service');
    const journal = await onControl('journalctl -u opsctl-web.service -o cat --no-pager');

    expect(verified.stderr).toBe('');
    expect(started.code, `${started.stderr}\n${journal}`).toBe(0);
    expect(await onControl('ls -ld /var/lib/opsctl-web | cut -c 1-24')).toContain('drwx------');
    expect(await onControl('systemctl list-timers opsctl-web.timer --no-legend')).toContain('03:00:00');

    await stopService(lab.host('web1'), 'nginx');
    const failed = await lab.host('control').exec('systemctl start opsctl-web.service');

    expect(failed.code).not.toBe(0);
    expect(await onControl('systemctl show -P ExecMainStatus opsctl-web.service')).toBe('1');
    expect(await onControl('journalctl -u opsctl-web.service -o cat --no-pager')).toContain('web1');
    const state = 'XDG_STATE_HOME=/var/lib/opsctl-web';
    expect(await onControl(`${state} /opt/node /opt/opsctl/bin/opsctl.js runs | grep -c 'Web servers'`)).toBe('2');
    await lab.host('web1').must('systemctl start nginx');
  });

  it('of cron mails what is not well, logs all, and leaves out a run that would overlap', async () => {
    await stopService(lab.host('web1'), 'nginx');
    await onControl('systemctl stop opsctl-web.timer; rm -rf /var/lib/opsctl-web');
    await follow(await made('cron', '--every 1m --mail-to admin@example.com'));
    const script = '/usr/local/lib/opsctl/opsctl-web';
    const log = '/var/log/opsctl-web.log';

    await eventually('cron mails', 150, async () => (await lab.host('control').exec('test -s /tmp/mail')).code === 0);
    const mail = await onControl('cat /tmp/mail');

    expect(mail).toContain('To: admin@example.com');
    expect(mail).toContain('failed');
    expect(mail).toContain('exit 1');
    expect(await onControl(`cat ${log}`)).toContain('opsctl-web: exit 1');
    await onControl('rm /etc/cron.d/opsctl-web');
    await lab.host('web1').must('systemctl start nginx');
    await eventually(
      'the last run ends',
      60,
      async () => (await lab.host('control').exec('flock -n /var/lib/opsctl-web/lock true')).code === 0,
    );

    const green = await lab.host('control').exec(`runuser -u ops -- env -i ${script}`);

    expect(green).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await onControl(`tail -n 1 ${log}`)).toContain('exit 0');
    expect(await onControl(`stat -c %U /var/lib/opsctl-web/opsctl/runs ${log} | uniq`)).toBe('ops');

    const overlapping = await lab
      .host('control')
      .exec(`flock /var/lib/opsctl-web/lock runuser -u ops -- env -i ${script}`);

    expect(overlapping.code).toBe(75);
    expect(overlapping.stderr).toContain('the last run is still at work');
    expect(await onControl(`tail -n 1 ${log}`)).toContain('left out');
  });
});
