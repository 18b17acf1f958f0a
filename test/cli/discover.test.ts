import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { surveySteps } from '../../src/discover/survey.js';
import { type BusyboxHost, busyboxNeeds, startBusyboxHost } from '../support/busybox.js';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';

// Other tests open ports and add users on this machine meanwhile: only what they leave alone is run again.
const lasting = ['--tags', 'kernel'];

describe('opsctl discover on this machine', () => {
  let project: Project;
  beforeAll(() => {
    project = makeProject();
  });
  afterAll(() => project.remove());

  it('prints a runbook that passes, and tells on stderr what it left out', async () => {
    const ended = await project.run(['discover', 'local']);

    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^# yaml-language-server: \$schema=https:\/\/\S+\n#\n# What local looked like/);
    expect(ended.stdout).toMatch(/^name: Host local\nhosts: local\nsteps:\n/m);
    expect(ended.stderr).toMatch(/^\d+ checks that local passes, \d+ left out\n/);
    project.write('local.yaml', ended.stdout);
    expect(await project.run(['run', 'local.yaml', '-q', ...lasting])).toMatchObject({ code: 0, stdout: '' });
    expect((await project.run(['plan', 'local.yaml'])).code).toBe(0);
  });

  it('writes a file for everybody to read, and never over another one', async () => {
    const file = join(project.folder, 'new.yaml');
    expect((await project.run(['discover', 'local', '-o', 'new.yaml'])).stdout).toBe('');
    expect(statSync(file).mode & 0o777).toBe(0o644);

    writeFileSync(file, 'mine\n');
    const refused = await project.run(['discover', 'local', '-o', 'new.yaml']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('E_EXISTS new.yaml exists already; choose another file, or pass `--force`');
    expect(readFileSync(file, 'utf8')).toBe('mine\n');

    expect((await project.run(['discover', 'local', '-o', 'new.yaml', '--force'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('name: Host local');
  });

  it('takes a name that is in no inventory for a host', async () => {
    const ended = await project.run(['discover', 'shop', '--transport', 'local', '-o', 'shop.yaml']);
    const again = await project.run(['run', 'shop.yaml', '-i', 'shop,', '--transport', 'local', '-q', ...lasting]);

    expect(ended.stderr).toMatch(/^wrote shop\.yaml: /);
    expect(again).toMatchObject({ code: 0, stdout: '' });
  });

  it('looks at one host only, and says so before any contact', async () => {
    project.write('two.yaml', 'hosts: { a: {}, b: {} }\n');
    for (const [args, what] of [
      [['all', '-i', 'two.yaml'], '"all" is 2 hosts; discover looks at one host; name one'],
      [['c', '-i', 'two.yaml'], '"c"'],
      [['a', '-i', 'two.yaml', '-o', 'none/a.yaml'], 'E_REPORT_DIR'],
      [['a', '-l', 'b'], '-l'],
      [[], 'host'],
    ] as const) {
      const ended = await project.run(['discover', ...args]);
      expect(ended.stderr).toContain(what);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
    }
  });
});

describeWith('opsctl discover through ssh', ['sshd', 'ssh-keygen', 'root'], () => {
  let sshd: Sshd;
  let project: Project;

  beforeAll(async () => {
    sshd = await startSshd({ log: true });
    const hosts = {
      web1: { address: sshd.addressOf(1), port: sshd.port, user: sshd.addUser().name, identity: sshd.identity },
      gone: { address: '127.0.0.1', port: await freePort(), user: 'x', identity: sshd.identity },
    };
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
      known_hosts: `${sshd.hostKeyLine}\n`,
      'inventory.yaml': JSON.stringify({ hosts }),
    });
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  it('looks in one round trip', async () => {
    project.write('survey.yaml', JSON.stringify({ name: 'survey', hosts: 'web1', steps: surveySteps }));
    const before = sshd.counts();
    await project.run(['run', 'survey.yaml', '-o', 'json']);
    const after = sshd.counts();

    expect([after.connections - before.connections, after.channels - before.channels]).toEqual([1, 1]);
  });

  it.each(['ssh', 'openssh'])('writes what passes there, by %s', async (transport) => {
    const file = `${transport}.yaml`;
    const ended = await project.run(['discover', 'web1', '--transport', transport, '-o', file]);

    expect(ended.stderr).toContain(`wrote ${file}: `);
    expect(ended.code).toBe(0);
    expect((await project.run(['run', file, '-q', '--transport', transport, ...lasting])).code).toBe(0);
  });

  it('writes nothing when the host is not there', async () => {
    const ended = await project.run(['discover', 'gone', '-o', 'gone.yaml']);

    expect(ended.stderr).toMatch(/^opsctl: nothing is written, gone \(.+\n$/);
    expect(ended.code).toBe(4);
    expect(existsSync(join(project.folder, 'gone.yaml'))).toBe(false);
  });

  it('writes nothing when sudo is refused', async () => {
    const ended = await project.run(['discover', 'web1', '--sudo', '-o', 'root.yaml']);

    expect(ended.stderr).toMatch(/^opsctl: nothing is written, web1: .*sudo/);
    expect(ended.code).toBe(3);
    expect(existsSync(join(project.folder, 'root.yaml'))).toBe(false);
  });
});

describeWith('opsctl discover on a host that has busybox alone', busyboxNeeds, () => {
  let host: BusyboxHost;
  let project: Project;

  beforeAll(async () => {
    host = await startBusyboxHost({
      passwd: 'root:x:0:0:root:/root:/bin/sh\nfirst.last:x:1000:1000::/home/first last:/bin/ash\n',
      group: 'root:x:0:\nadm:x:4:first.last\n',
      fstab: 'proc /proc proc defaults 0 0\n',
    });
    project = makeProject({ 'inventory.yaml': host.inventory });
  }, 60_000);
  afterAll(async () => {
    await host?.stop();
    project?.remove();
  });

  it('writes what can be told there, twice the same, and it passes until that breaks', async () => {
    const tags = ['--tags', 'users,kernel', '-q', '-i', 'inventory.yaml'];
    const ended = await project.run(['discover', 'tiny', '-i', 'inventory.yaml', '-o', 'tiny.yaml']);
    const again = await project.run(['discover', 'tiny', '-i', 'inventory.yaml']);
    const users = (text: string) => /# --- Users[\s\S]*/.exec(text)?.[0];
    const text = readFileSync(join(project.folder, 'tiny.yaml'), 'utf8');

    expect(ended).toMatchObject({ code: 0, stdout: '' });
    expect(text).toContain(
      'with: { name: first.last, uid: 1000, home: /home/first last, shell: /bin/ash, groups: [ adm ] }',
    );
    expect(text).toContain('with: { name: kernel.randomize_va_space, value: ');
    expect(text).not.toContain('check.service');
    expect(users(again.stdout)).toBe(users(text));
    expect(await project.run(['run', 'tiny.yaml', ...tags])).toMatchObject({ code: 0, stdout: '' });

    writeFileSync(join(host.root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\neve:x:0:0::/:/bin/sh\n');
    const broken = await project.run(['run', 'tiny.yaml', ...tags]);

    expect(broken.code).toBe(1);
    for (const name of ['User first.last', 'Nobody else has a login shell', 'Nobody else is root'])
      expect(broken.stderr).toContain(`failed tiny: ${name}: `);
  }, 60_000);
});
