import { describe, expect, it } from 'vitest';
import { fixture, outputOf } from '../../test/support/probe.js';
import type { RunResult } from '../result/result.schema.js';
import kind from '../steps/run/survey/step.js';
import { subjects } from './index.js';
import type { Candidate } from './subject.js';
import { readSurvey } from './survey.js';

interface Look {
  readonly said?: string;
  readonly sockets?: readonly string[];
  readonly routes?: readonly object[];
}

/** What a subject finds; `said` is what the survey prints, sockets are `tcp 0.0.0.0 80`. */
function find(tag: string, { said = '', sockets = [], routes = [] }: Look) {
  const text = said.endsWith('end\t\n') ? said : `${said.replace(/^\s+/gm, '')}\nend\t\n`;
  const step = (step: string, data: object) => ({ step, data });
  const listening = sockets.map((socket) => {
    const [protocol, address, port] = socket.split(' ');
    return { protocol, address, port: Number(port) };
  });
  const steps = [
    step('survey', kind.parse(outputOf(text), {})),
    step('listening', { sockets: listening }),
    step('ipv4', { routes }),
  ];
  const survey = readSurvey({ hosts: [{ steps }] } as unknown as RunResult);
  const subject = subjects.find((one) => one.tag === tag);
  if (!survey || !subject) throw new Error('no survey, or no subject');
  return subject.find(survey);
}

/** `KIND PARAMS` of each check that has a subject of its own. */
function brief(checks: readonly Candidate[]): readonly string[] {
  return checks
    .filter(({ about }) => about !== undefined)
    .map(({ uses, with: params }) => `${uses} ${JSON.stringify(params)}`);
}

const debian = fixture('debian-12.txt', new URL('../steps/run/survey/step.ts', import.meta.url).href).toString();

describe('services', () => {
  it('are those of a Debian host that somebody chose, and nothing of systemd itself', () => {
    expect(brief(find('services', { said: debian }).checks)).toEqual([
      'check.service {"name":"cron","enabled":true}',
      'check.service {"name":"nginx","enabled":true}',
      'check.service {"name":"redis-server","enabled":true}',
      'check.service {"name":"ssh","enabled":true}',
    ]);
  });

  const unit = (properties: string) =>
    `${properties
      .split(' ')
      .map((line) => `unit\t${line}`)
      .join('\n')}\nunit\t\n`;

  it('takes a socket in place of the service that it starts', () => {
    const said = `manager\tsystemd\n${unit('Id=ssh.socket LoadState=loaded ActiveState=active SubState=listening UnitFileState=enabled')}${unit('Id=ssh.service LoadState=loaded ActiveState=active SubState=running UnitFileState=disabled TriggeredBy=ssh.socket')}`;
    const { checks, notes } = find('services', { said });

    expect(brief(checks)).toEqual(['check.service {"name":"ssh.socket","enabled":true}']);
    expect(notes).toEqual(['ssh is started by ssh.socket, which is checked in its place']);
  });

  it('names the sockets of a service in one order, whatever systemd tells first', () => {
    const socket = (name: string) =>
      unit(`Id=${name} LoadState=loaded ActiveState=active SubState=listening UnitFileState=enabled`);
    const service = (by: string) =>
      `unit\tId=cups.service\nunit\tLoadState=loaded\nunit\tUnitFileState=enabled\nunit\tTriggeredBy=${by}\nunit\t\n`;
    const notes = ['b.socket a.socket', 'a.socket b.socket'].map(
      (by) =>
        find('services', { said: `manager\tsystemd\n${socket('a.socket')}${socket('b.socket')}${service(by)}` }).notes,
    );

    expect(notes).toEqual([notes[1], ['cups is started by a.socket, b.socket, which are checked in its place']]);
  });

  it('tells what runs and would be gone after a restart, and what should run and does not', () => {
    const said = `manager\tsystemd\n${unit('Id=app.service LoadState=loaded ActiveState=active SubState=running UnitFileState=disabled')}${unit('Id=idle.service LoadState=loaded ActiveState=inactive SubState=dead UnitFileState=enabled Type=simple')}`;
    const { checks, notes } = find('services', { said });

    expect(checks.find(({ about }) => about === 'app')).toMatchObject({
      with: { name: 'app' },
      note: 'it does not start with the system: after a restart it is gone',
    });
    expect(notes).toEqual(['idle should start with the system, and does not run now']);
  });

  it('keeps a one-shot that stays, and leaves out one that is over or is started by a timer', () => {
    const said = `manager\tsystemd\n${[
      'Id=nftables.service LoadState=loaded ActiveState=active SubState=exited UnitFileState=enabled Type=oneshot',
      'Id=once.service LoadState=loaded ActiveState=inactive SubState=dead UnitFileState=enabled Type=oneshot',
      'Id=backup.service LoadState=loaded ActiveState=inactive SubState=dead UnitFileState=enabled TriggeredBy=backup.timer',
      'Id=kept.service LoadState=loaded ActiveState=inactive UnitFileState=enabled Type=simple ConditionResult=no ConditionTimestampMonotonic=5',
      'Id=getty@tty1.service LoadState=loaded ActiveState=active SubState=running UnitFileState=enabled',
      'Id=systemd-resolved.service LoadState=loaded ActiveState=active SubState=running UnitFileState=enabled',
      'Id=systemd-journald.service LoadState=loaded ActiveState=active SubState=running UnitFileState=static',
    ]
      .map(unit)
      .join('')}`;

    expect(brief(find('services', { said }).checks)).toEqual([
      'check.service {"name":"nftables","enabled":true}',
      'check.service {"name":"systemd-resolved","enabled":true}',
    ]);
  });

  it('asks the scripts of other managers one by one', () => {
    const said = 'manager\topenrc\nscript\tnginx\nscript\tlocal\nscript\tsshd';
    expect(brief(find('services', { said }).checks)).toEqual([
      'check.service {"name":"nginx","enabled":true}',
      'check.service {"name":"sshd","enabled":true}',
    ]);
  });
});

describe('storage', () => {
  it('wants mounted what fstab mounts at the start, with the options that were set for safety', () => {
    const said = `fstab\tUUID=1 / ext4 errors=remount-ro
      fstab\tUUID=2 none swap sw
      fstab\t/dev/cdrom /media/cdrom udf,iso9660 user,noauto
      fstab\tnas:/home /home nfs _netdev,x-systemd.automount
      fstab\ttmpfs /tmp tmpfs nodev,nosuid,size=1G
      fstab\tnas:/data /srv/my\\040data nfs ro,hard`;

    expect(brief(find('storage', { said }).checks)).toEqual([
      'check.mount {"path":"/","type":"ext4"}',
      'check.mount {"path":"/tmp","type":"tmpfs","options":["nosuid","nodev"]}',
      'check.mount {"path":"/srv/my data","read-only":true}',
    ]);
  });
});

describe('ports', () => {
  const listen = ({ checks }: ReturnType<typeof find>) => checks.find(({ uses }) => uses === 'check.listening');

  it('says of each where it listens, and allows what is open to others', () => {
    const sockets = [
      'tcp 0.0.0.0 22',
      'tcp :: 22',
      'tcp 127.0.0.1 5432',
      'tcp ::1 5432',
      'udp 0.0.0.0 123',
      'tcp 10.0.0.5 9100',
      'tcp fd00::5 9100',
    ];
    const found = find('ports', { sockets });

    expect(brief(found.checks)).toEqual([
      'check.port {"port":22,"address":"any"}',
      'check.port {"port":5432,"address":"loopback"}',
      'check.port {"port":123,"protocol":"udp","address":"any"}',
      'check.port {"port":9100,"address":"10.0.0.5"}',
    ]);
    expect(found.checks.find(({ about }) => about === 'tcp 9100')?.note).toBe('it listens on fd00::5, too');
    expect(listen(found)?.with).toEqual({ allow: [22, '10.0.0.5:9100', '[fd00::5]:9100'] });
  });

  it('does not pin a port that the kernel gave away, nor one that sshd forwards for somebody', () => {
    const sockets = ['tcp 0.0.0.0 41733', 'tcp 0.0.0.0 41000', 'udp 0.0.0.0 51234', 'tcp 127.0.0.1 6010'];
    const said = 'process\ttcp 41733 /usr/sbin/rpc.statd rpc.statd\nprocess\ttcp 22 /usr/sbin/sshd sshd';
    const found = find('ports', { said, sockets });

    expect(brief(found.checks)).toEqual([]);
    expect(listen(found)).toMatchObject({
      with: { allow: ['32768-60999'] },
      note: 'ports that the kernel gives away are open (rpc.statd): fix them to others, and take the range out',
    });
  });

  it('knows which ports the kernel of the host gives away', () => {
    const sockets = ['tcp 0.0.0.0 40000', 'tcp 0.0.0.0 50000', 'tcp 0.0.0.0 64738', 'tcp 0.0.0.0 5432'];
    const listed = (range: string) => listen(find('ports', { said: `ephemeral\t${range}`, sockets }))?.with?.allow;

    expect(listed('49152 60999')).toEqual([5432, 40000, 64738, '49152-60999']);
    // Everything above 1024 may be given away, but most of it is not.
    expect(listed('1024 65535')).toEqual([5432, '32768-65535']);
  });

  it('pins no address that was given for a time, and no port of a DHCP client', () => {
    const said = 'dynamic\teth0 192.0.2.50\ndynamic\teth0 2001:db8::50';
    const sockets = [
      'udp 192.0.2.50 68',
      'udp 0.0.0.0 68',
      'udp fe80::1 546',
      'tcp 192.0.2.50 445',
      'tcp 127.0.0.1 445',
      'tcp 192.0.2.50 8080',
      'tcp 10.0.0.5 8080',
      'tcp 2001:db8::50 9100',
    ];
    const found = find('ports', { said, sockets });

    expect(brief(found.checks)).toEqual([
      'check.port {"port":445}',
      'check.port {"port":8080,"address":"10.0.0.5"}',
      'check.port {"port":9100}',
    ]);
    expect(found.checks[0]?.note).toBe('its address was given to the host for a time: which one is not checked');
    expect(found.checks[1]).not.toHaveProperty('note');
    expect(listen(found)?.with).toEqual({ allow: [445, 8080, 9100] });
    expect(brief(find('endpoints', { said, sockets }).checks)).toEqual(['check.http {"url":"http://10.0.0.5:8080/"}']);
  });
});

describe('endpoints', () => {
  it('asks web servers only, wherever they listen, and TLS where it is spoken', () => {
    const said =
      'hostname\tweb1\nhostname\tweb1.example.com\nprocess\ttcp 8081 /usr/sbin/nginx nginx\nprocess\ttcp 22 /usr/sbin/sshd sshd';
    const sockets = [
      'tcp 0.0.0.0 22',
      'tcp :: 80',
      'tcp 10.0.0.5 8081',
      'tcp 0.0.0.0 443',
      'tcp 0.0.0.0 993',
      'udp 0.0.0.0 443',
    ];

    const { checks } = find('endpoints', { said, sockets });

    expect(brief(checks)).toEqual([
      'check.http {"url":"http://127.0.0.1:80/"}',
      'check.http {"url":"http://10.0.0.5:8081/"}',
      'check.tls {"address":"127.0.0.1","port":443,"servername":"web1.example.com"}',
      'check.tls {"address":"127.0.0.1","port":993,"servername":"web1.example.com"}',
    ]);
    expect(checks.every(({ from }) => from === 'host')).toBe(true);
    expect(checks.map(({ mend }) => mend)).toEqual([
      undefined,
      'if TLS is spoken there, write https:// and ask `check.tls`, too',
      ...[expect.any(String), expect.any(String)],
    ]);
  });
});

describe('users', () => {
  it('are those with a shell, with their groups of power; nobody else may have one', () => {
    const said = `user\troot:0:/root:/bin/bash
      user\tops:1000:/home/ops:/bin/bash
      user\tAnna:1001:/home/anna:
      group\tsudo:ops,anna
      group\tshadow:`;
    const { checks } = find('users', { said });

    expect(brief(checks).slice(0, 3)).toEqual([
      'check.user {"name":"root","uid":0,"home":"/root","shell":"/bin/bash"}',
      'check.user {"name":"ops","uid":1000,"home":"/home/ops","shell":"/bin/bash","groups":["sudo"]}',
      'check.user {"name":"Anna","uid":1001,"home":"/home/anna"}',
    ]);
    expect(checks.slice(3, 5)).toMatchObject([
      {
        uses: 'check.group',
        with: { name: 'sudo', members: ['anna', 'ops'], only: true },
        note: 'members of sudo: anna, ops: is that right?',
      },
      { uses: 'check.group', name: 'Nobody is in shadow', with: { name: 'shadow', members: [], only: true } },
    ]);
    expect(checks.slice(5).map(({ with: params }) => params?.equals)).toEqual(['Anna ops root', 'root']);
  });
});

describe('network', () => {
  it('takes interfaces that last, and the gateway where it does not tell itself', () => {
    const said = `interface\tup physical eth0
      interface\tdown physical eth1
      interface\tup virtual docker0
      interface\tup virtual veth12ab
      interface\tup virtual bond0
      interface\tunknown virtual lo`;
    const routes = [{ interface: 'eth0', gateway: '10.0.0.1', metric: 0 }];

    expect(brief(find('network', { said, routes }).checks)).toEqual([
      'check.interface {"name":"eth0"}',
      'check.interface {"name":"bond0"}',
      'check.route {"family":"ipv4","gateway":"10.0.0.1","interface":"eth0"}',
    ]);
  });

  it('leaves the gateway open that DHCP told', () => {
    const routes = [{ interface: 'eth0', gateway: '10.0.0.1', metric: 0 }];
    const given = (address: string) =>
      brief(find('network', { said: `dynamic\teth0 ${address}`, routes }).checks).at(-1);

    expect(given('10.0.0.50')).toBe('check.route {"family":"ipv4","interface":"eth0"}');
    expect(given('2001:db8::50')).toContain('"gateway":"10.0.0.1"');
  });
});

describe('packages, certificates, kernel', () => {
  it('names the packages behind services and listeners, none of the base system', () => {
    expect(brief(find('packages', { said: debian }).checks)).toEqual([
      'check.package {"name":"cron"}',
      'check.package {"name":"nginx"}',
      'check.package {"name":"openssh-server"}',
      'check.package {"name":"redis-server"}',
      'check.package {"name":"redis-tools"}',
    ]);
  });

  it('takes no path whose letters would stand for other files', () => {
    const said = 'certificate\t/etc/ssl/a.pem\ncertificate\t/etc/ssl/[b].pem';
    expect(brief(find('certificates', { said }).checks)).toEqual(['check.certificate {"paths":["/etc/ssl/a.pem"]}']);
  });

  it('pins numbers as numbers and lists as text', () => {
    const said = 'parameter\tnet.ipv4.ip_forward 0\nparameter\tnet.ipv4.tcp_rmem 4096 131072 6291456';
    expect(brief(find('kernel', { said }).checks)).toEqual([
      'check.kernel-parameter {"name":"net.ipv4.ip_forward","value":0}',
      'check.kernel-parameter {"name":"net.ipv4.tcp_rmem","value":"4096 131072 6291456"}',
    ]);
  });
});

describe('kernel', () => {
  it('says where a value is not what the files set, and names a parameter once', () => {
    const said = `setting\tnet.ipv4.ip_forward 1
      setting\tnet.ipv4.tcp_rmem 4096\t131072   6291456
      setting\tkernel.sysrq 1
      setting\tkernel/sysrq 0
      parameter\tkernel.sysrq 0
      parameter\tkernel/sysrq 0
      parameter\tnet.ipv4.ip_forward 0
      parameter\tnet.ipv4.tcp_rmem 4096 131072 6291456`;

    const { checks } = find('kernel', { said });

    expect(checks.flatMap(({ about, note }) => (about === undefined ? [] : [[about, note]]))).toEqual([
      ['kernel/sysrq', undefined],
      ['net.ipv4.ip_forward', 'the files of sysctl set "1"'],
      ['net.ipv4.tcp_rmem', undefined],
    ]);
  });
});

describe('applications and jobs', () => {
  it('tries what needs no login, and says what else needs one', () => {
    const sockets = ['tcp 127.0.0.1 6379', 'tcp 127.0.0.1 5432', 'tcp 0.0.0.0 25'];
    const { checks, notes } = find('applications', { said: 'podman\tweb\npodman\tapi', sockets });

    expect(checks.map(({ uses }) => uses)).toEqual([
      'check.redis',
      'check.smtp',
      'check.mail-queue',
      'check.container',
      'check.container',
    ]);
    expect(brief(checks)[0]).toBe('check.container {"name":"api","engine":"podman"}');
    expect(notes).toEqual([expect.stringContaining('check.postgres')]);
  });

  it('leaves the age of jobs to people', () => {
    const { notes } = find('jobs', { said: 'cron\t/etc/cron.d/backup' });
    expect(notes?.[0]).toBe('jobs stand in /etc/cron.d/backup');
  });
});
