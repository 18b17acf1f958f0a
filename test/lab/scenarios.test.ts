import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostKinds } from '../support/host-kinds.js';
import { describeWith } from '../support/needs.js';
import { failUnit, fillInodes } from './faults.js';
import { type Lab, labNeeds, startLab } from './lab.js';
import { type LabRun, runOnLab, writeRunbook } from './run.js';

/** What a kind's schema cannot say that it needs. */
const alsoGiven: Readonly<Record<string, object>> = {
  'check.container': { name: 'web' },
  'check.log': { path: '/var/log/dpkg.log' },
  'check.process': { name: 'sshd' },
  'check.package': { name: 'openssh-server' },
  'check.plugin': { command: ['/bin/echo', 'OK - fine'] },
};

/** What only root can see, though nothing is wrong with it. */
const closed = [
  { id: 'closed_file', uses: 'check.file', with: { path: '/root/closed/app.conf', contains: 'port' } },
  { id: 'closed_certificate', uses: 'check.certificate', with: { paths: ['/root/closed/*.crt'], critical: '1h:' } },
  { id: 'closed_log', uses: 'check.log', with: { path: '/root/closed/log', pattern: ['ERROR'], first: 'start' } },
];

/** One step of every check that runs on the host, with the example that the documentation gives for what is required. */
async function catalogue(sudo: boolean) {
  return (await hostKinds(alsoGiven))
    .filter(({ name }) => name.startsWith('check.') && name !== 'check.goss')
    .map(({ name, given }) => ({
      id: name.replace('check.', '').replaceAll('-', '_'),
      uses: name,
      with: given,
      sudo,
    }));
}

describeWith('faults that one host has and its neighbours do not', labNeeds, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ hosts: ['good', 'bad', 'frozen'], packages: ['chrony'] });
  }, 300_000);
  afterAll(() => lab?.stop());

  const both = (run: LabRun, step: string) => [run.outcome('good', step), run.outcome('bad', step)];

  it('inodes that are used up beside plenty of space, by the name of the mount', async () => {
    await fillInodes(lab.host('bad'), '/srv/mail');
    const run = await runOnLab(
      lab,
      writeRunbook(lab, 'inodes', [{ id: 'disk', uses: 'check.disk', with: { critical: 95 } }]),
      ['-l', 'bad'],
    );
    const { summary, metrics, findings } = run.step('bad', 'disk');

    expect(summary).toBe('/srv/mail has used 100 % of its inodes, limit 95 %');
    expect(findings.map(({ id, subject }) => `${id} ${subject}`)).toEqual(['disk-inodes /srv/mail']);
    expect(metrics.find(({ name }) => name === 'used{/srv/mail}')?.value).toBeLessThan(0.5);
  });

  it('a unit that failed, with its exit status, and a name that no unit has', async () => {
    await failUnit(lab.host('bad'));
    const run = await runOnLab(
      lab,
      writeRunbook(lab, 'units', [
        { id: 'all', uses: 'check.systemd' },
        { id: 'one', uses: 'check.service', with: { name: 'broken' } },
        { id: 'typo', uses: 'check.service', with: { name: 'ngnix' } },
      ]),
      ['-l', 'good,bad'],
    );

    expect(both(run, 'all')).toEqual(['ok ok', 'failed unit-failed']);
    expect(run.step('bad', 'all').summary).toContain('broken.service');
    expect(both(run, 'one')).toEqual(['unknown service-not-found', 'failed service-failed']);
    expect(run.step('bad', 'one').summary).toMatch(/exit-code.*\b1\b/);
    expect(both(run, 'typo')).toEqual(['unknown service-not-found', 'unknown service-not-found']);
  });

  it('a clock whose service runs and hears nobody', async () => {
    await Promise.all(
      ['good', 'bad'].map((name) =>
        lab
          .host(name)
          .must('systemctl stop chrony; mkdir -p /run/chrony; chown _chrony: /run/chrony; chmod 750 /run/chrony'),
      ),
    );
    // Without -x chronyd would set the clock of the machine, and may not.
    await lab
      .host('bad')
      .must(
        'printf "server 10.77.1.99\\nbindcmdaddress /run/chrony/chronyd.sock\\n" >/etc/chrony/lab.conf; systemd-run --unit=time chronyd -x -d -f /etc/chrony/lab.conf; for i in 1 2 3 4 5 6 7 8 9; do chronyc tracking >/dev/null && exit 0; sleep 0.3; done; exit 1',
      );
    const run = await runOnLab(lab, writeRunbook(lab, 'clock', [{ id: 'clock', uses: 'check.clock', sudo: true }]), [
      '-l',
      'good,bad',
    ]);

    expect(run.step('bad', 'clock')).toMatchObject({ outcome: 'failed', reason: 'not-synchronised' });
    expect(run.step('good', 'clock').outcome).not.toBe('ok');
  });

  it('a port that only the host itself can reach, with the address it is bound to', async () => {
    const host = lab.host('bad');
    await host.must('sed -i "s/listen 80 /listen 127.0.0.1:80 /; /listen \\[/d" /etc/nginx/sites-enabled/default');
    await host.must('systemctl restart nginx');
    const run = await runOnLab(
      lab,
      writeRunbook(lab, 'bound', [{ id: 'port', uses: 'check.port', with: { port: 80, address: 'any' } }]),
      ['-l', 'good,bad'],
    );

    expect(both(run, 'port')).toEqual(['ok ok', 'failed wrong-address']);
    expect(run.step('bad', 'port').summary).toContain('127.0.0.1');
  });

  it('an sshd that is frozen: unreachable in time, and what depends on it is not judged', async () => {
    await lab.host('frozen').freezeSshd();
    const runbook = writeRunbook(lab, 'frozen', [
      { id: 'login', uses: 'check.uptime' },
      { id: 'answer', uses: 'check.http', with: { url: `http://\${{ host.address }}/health` }, needs: 'login' },
      { id: 'outside', uses: 'check.tcp', with: { port: 443 } },
    ]);
    const run = await runOnLab(lab, runbook, ['-l', 'good,frozen']);
    await lab.host('frozen').thawSshd();

    expect(run.outcomes('good')).toEqual(['ok ok', 'ok ok', 'ok ok']);
    expect(run.outcomes('frozen')).toEqual(['unreachable banner-timeout', 'skipped blocked', 'ok ok']);
    expect(run.step('frozen', 'answer').summary).toContain('`login`');
    expect(run.finished.code).toBe(4);
    expect(run.finished.seconds).toBeLessThan(60);
  });

  it('a user without rights: every check says so, and none is better than for root', async () => {
    const host = lab.host('good');
    await host.must(
      'mkdir -m 700 /root/closed; cd /root/closed; echo "port = 1" >app.conf; echo fine >log; cp /etc/nginx/lab/valid.crt .',
    );
    await host.must(
      'useradd -m -s /bin/sh guest && mkdir -p ~guest/.ssh && cp ~ops/.ssh/authorized_keys ~guest/.ssh/ && chown -R guest: ~guest/.ssh',
    );
    const options = { timeoutSeconds: 120 };
    const steps = async (sudo: boolean) => [...(await catalogue(sudo)), ...closed.map((step) => ({ ...step, sudo }))];
    const asked = await steps(false);
    const root = await runOnLab(lab, writeRunbook(lab, 'root', await steps(true)), ['-l', 'good'], options);
    const guestOf = ['-l', 'good', '-u', 'guest'];
    const guest = await runOnLab(lab, writeRunbook(lab, 'guest', asked), guestOf, options);
    const noSudo = await runOnLab(lab, 'root.yaml', guestOf, options);

    expect(asked.length).toBeGreaterThan(45);
    for (const { id } of closed) {
      expect([id, root.outcome('good', id)]).toEqual([id, 'ok ok']);
      expect([id, guest.outcome('good', id)]).toEqual([id, 'unknown needs-privilege']);
    }
    for (const { id } of asked) {
      const [seen, known] = [guest.step('good', id), root.step('good', id)];
      // Numbers move between two runs.
      if (/^(above|below)-/.test(known.reason) || /^(above|below)-/.test(seen.reason)) continue;
      if (seen.outcome !== 'ok') expect(seen.summary).not.toBe('');
      if (seen.outcome === known.outcome) continue;
      // It sees as much or less, and says so; it never sees better or worse.
      const says = seen.reason === 'needs-privilege' || /permission/i.test(seen.summary);
      expect([id, seen.outcome, seen.summary, says]).toEqual([id, 'unknown', seen.summary, true]);
    }
    // What is to run with sudo and may not is known of nothing.
    for (const { id } of asked) expect([id, noSudo.outcome('good', id)]).toEqual([id, 'unknown sudo-refused']);
    expect(noSudo.finished.code).toBe(3);
  });
});
