import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { eventually, type Finished, mustRun, type ProcessOptions, run } from './process.js';

export interface LabPlace {
  /** Folder of the lab's files. */
  readonly folder: string;
  /** Pid of the first process of the lab, seen from outside. */
  readonly supervisor: number;
}

/** One booted host of a lab. Its methods work from outside, over no network. */
export class LabHost {
  constructor(
    private readonly lab: LabPlace,
    readonly name: string,
    readonly address: string,
  ) {}

  /** Runs shell text as root inside the host; the exit status is the caller's to look at. */
  async exec(command: string, options: ProcessOptions = {}): Promise<Finished> {
    const args = ['-t', String(this.systemdPid()), '-m', '-u', '-i', '-n', '-p', '--', 'sh', '-c', command];
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C' };
    return run('nsenter', args, { timeoutSeconds: 60, env, ...options });
  }

  /** Runs shell text as root inside the host and gives its output; fails when it fails. */
  async must(command: string, options: ProcessOptions = {}): Promise<string> {
    const finished = await this.exec(command, options);
    if (finished.code !== 0) throw new Error(`${this.name}: ${command}: ${finished.code}\n${finished.stderr}`);
    return finished.stdout.trim();
  }

  async writeFile(path: string, text: string, mode = '644'): Promise<void> {
    await this.must(`mkdir -p "$(dirname '${path}')" && cat >'${path}' && chmod ${mode} '${path}'`, { input: text });
  }

  /** True when sshd answers with its banner. */
  async answers(): Promise<boolean> {
    const asked = await run(
      'nsenter',
      ['-t', String(this.lab.supervisor), '-n', 'bash', '-c', `exec 3<>/dev/tcp/${this.address}/22; head -c 4 <&3`],
      { timeoutSeconds: 2 },
    );
    return asked.stdout === 'SSH-';
  }

  async waitUntilUp(seconds = 30): Promise<void> {
    await eventually(`${this.name} answers`, seconds, () => this.answers());
  }

  /** Boots again. Comes back at once, or when `comeBack` is called, with a new boot id. */
  async reboot(options: { readonly stayDown?: boolean } = {}): Promise<void> {
    if (options.stayDown) writeFileSync(this.stayDownFile(), '');
    await this.exec('systemctl --no-block reboot');
  }

  async comeBack(): Promise<void> {
    rmSync(this.stayDownFile(), { force: true });
    await this.waitUntilUp();
  }

  bootId(): Promise<string> {
    return this.must('cat /proc/sys/kernel/random/boot_id');
  }

  /** Takes the network cable out: packets vanish, no connection is reset. */
  cutLink(): Promise<unknown> {
    return this.controller(`ip link set veth-${this.name} down`);
  }

  restoreLink(): Promise<unknown> {
    return this.controller(`ip link set veth-${this.name} up`);
  }

  /** Stops sshd without closing its port: connections are accepted and nothing is ever said. */
  async freezeSshd(options: { readonly sessions?: boolean } = {}): Promise<void> {
    await this.must(options.sessions ? 'pkill -STOP -x sshd' : 'kill -STOP "$(systemctl show -P MainPID ssh)"');
  }

  async thawSshd(): Promise<void> {
    await this.must('pkill -CONT -x sshd');
  }

  /** Gives the host a new ed25519 key; what the lab wrote to known_hosts is wrong from then on. */
  async changeHostKey(): Promise<void> {
    await this.must(
      'rm -f /etc/ssh/ssh_host_ed25519_key* && ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh',
    );
    await this.waitUntilUp();
  }

  /** Pid of the host's systemd, seen from outside: the first process of a namespace below the lab's, on this host's network. */
  private systemdPid(): number {
    const network = `net:[${statSync(`/proc/${this.lab.supervisor}/root/run/netns/${this.name}`).ino}]`;
    const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && isSystemdOn(network, entry));
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    return Number(pid);
  }

  private stayDownFile(): string {
    return `/proc/${this.lab.supervisor}/root${this.lab.folder}/hosts/${this.name}/stay-down`;
  }

  private controller(command: string): Promise<Finished> {
    return mustRun('nsenter', ['-t', String(this.lab.supervisor), '-n', 'sh', '-c', command]);
  }
}

function isSystemdOn(network: string, pid: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/ns/net`) !== network) return false;
    const pids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split('\t') ?? [];
    return pids.length >= 3 && pids.at(-1) === '1';
  } catch {
    return false; // it ended meanwhile
  }
}
