import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.js';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { type Sshd, startSshd } from '../support/sshd.js';

/** One secret a source, each with other characters that encodings treat in their own ways. */
const secrets = {
  env: 'Canary-env_41c7e9b0d2',
  file: 'Canary file\'9"f3 <&>%$x',
  exec: 'Canary/exec+77aa==b1c2',
  sudo: 'Canary:sudo;d4e5f6a7b8',
  header: 'Canary.header.0f1e2d3c',
};

/** How a careless program may print what it was given. */
const shout = String.raw`
  for s in "$@"; do
    printf 'raw %s\n' "$s"
    printf 'err %s\n' "$s" >&2
    printf %s "$s" | base64 -w0; echo
    printf 'user:%s' "$s" | base64 -w0; echo
    printf 'xx%s' "$s" | base64 -w76
    printf %s "$s" | od -An -v -tx1 | tr -d ' \n'; echo
    printf %s "$s" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F; echo
    printf %s "$s" | sha256sum
    printf 'cut '; printf %s "$s" | cut -c1-9 | tr -d '\n'; sleep 0.3; printf %s "$s" | cut -c10-; echo
  done
  sleep 0.5
`;

const forms = Object.values(secrets).flatMap((secret) => {
  const bytes = Buffer.from(secret);
  const pure = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    ...pure,
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(secret),
    json,
  ];
});

function leaksIn(text: string): readonly string[] {
  // Reports break long lines: a secret that a line end runs through is still a secret.
  const joined = text.replaceAll(/\s*\n\s*(?:\| ?)?/g, '');
  return [...new Set(forms)].filter((form) => text.includes(form) || joined.includes(form));
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}

/** Reads what an ordinary user of the machine can see of all processes, as fast as it can. */
const sampler = `
const fs = require('fs');
let text = '';
process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => {
  const forms = JSON.parse(text);
  const hits = new Set();
  let looks = 0;
  let ended = false;
  process.on('SIGTERM', () => { ended = true; });
  const look = () => {
    for (const pid of fs.readdirSync('/proc')) {
      if (!/^[0-9]+$/.test(pid)) continue;
      for (const file of ['cmdline', 'environ']) {
        try {
          const seen = fs.readFileSync('/proc/' + pid + '/' + file, 'latin1');
          for (const form of forms) if (seen.includes(form)) hits.add(file + ' ' + form);
        } catch {}
      }
    }
    looks += 1;
    if (ended) console.log(JSON.stringify({ looks, hits: [...hits] }));
    else setTimeout(look, 3);
  };
  console.error('ready');
  look();
});`;

describeWith('secrets', ['sshd', 'ssh-keygen', 'sudo', 'root'], () => {
  let sshd: Sshd;
  let server: Server;
  let project: Project;
  let vault: string;
  let userHome: string;
  const env = { CANARY_ENV: secrets.env, CANARY_HEADER: secrets.header };
  const given = '{ secret: "env:CANARY_ENV" }, { secret: "file:VAULT/file" }, { secret: "exec:VAULT/give x" }';

  beforeAll(async () => {
    sshd = await startSshd();
    const user = sshd.addUser({ password: secrets.sudo, sudoers: 'ALL=(ALL) ALL' });
    userHome = user.home;
    server = createServer((request, response) => {
      const header = String(request.headers['x-token'] ?? '');
      response.statusCode = 500;
      response.statusMessage = `no ${encodeURIComponent(header)}`;
      response.end(`${header} ${JSON.stringify({ header })} ${Buffer.from(header).toString('base64')}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    vault = mkdtempSync(join(tmpdir(), 'opsctl-vault-'));
    writeFileSync(join(vault, 'file'), `${secrets.file}\n`, { mode: 0o600 });
    writeFileSync(join(vault, 'sudo'), `${secrets.sudo}\n`, { mode: 0o600 });
    writeFileSync(join(vault, 'give'), `#!/bin/sh\necho '${secrets.exec}'\necho '${secrets.exec}' >&2\n`);
    chmodSync(join(vault, 'give'), 0o700);
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\nstate: state\n',
      known_hosts: `${sshd.hostKeyLine}\n`,
      'inventory.yaml': `hosts:
  far: { address: 127.0.0.1, port: ${sshd.port}, user: ${user.name}, identity: ${sshd.identity}, sudo: { password: { secret: "file:${vault}/sudo" } } }
  near: { transport: local, vars: { token: { secret: "env:CANARY_ENV" } } }
  wrong: { address: 127.0.0.2, port: ${sshd.port}, user: nobody, password: { secret: "env:CANARY_ENV" } }
`,
      'leaky.yaml': `name: Leaky
steps:
  - { id: out, uses: run.command, on-failure: continue, with: { command: ${JSON.stringify(shout)}, args: [${given}], effect: read } }
  - { id: bad, uses: run.command, on-failure: continue, with: { command: ${JSON.stringify(`${shout}exit 3`)}, args: [${given}], effect: read } }
  - { id: root, uses: run.command, sudo: true, on-failure: continue, hosts: far, with: { command: ${JSON.stringify(`id -u;${shout}`)}, args: [${given}], effect: read } }
  - { id: job, uses: run.command, on-failure: continue, with: { command: ${JSON.stringify(shout)}, args: [${given}], effect: change } }
  - { id: web, uses: check.http, on-failure: continue, with: { url: "http://127.0.0.1:${port}/", headers: { X-Token: { secret: "env:CANARY_HEADER" } }, body: ["nothing"] } }
  - { id: hidden, uses: run.command, sensitive: true, on-failure: continue, with: { command: ${JSON.stringify(shout)}, args: [${given}], effect: read } }
  - { id: later, uses: run.command, when: "steps.out.ok", on-failure: continue, with: { command: 'echo "$1"', args: ["\${{ steps.out.data.stdout }}"], effect: read } }
  - { id: broken, uses: check.command, on-failure: continue, with: { command: ${JSON.stringify(shout)}, args: [${given}], stdout: ["^[0-9]$"] } }
`.replaceAll('VAULT', vault),
    });
  });
  afterAll(async () => {
    server.close();
    project.remove();
    rmSync(vault, { recursive: true });
    await sshd.stop();
  });

  let watcher: ChildProcess;
  let watched = '';
  async function startWatching(): Promise<void> {
    watcher = spawn(process.execPath, ['-e', sampler], { uid: 65_534, gid: 65_534, stdio: 'pipe', cwd: '/' });
    watcher.stdout?.on('data', (text) => {
      watched += String(text);
    });
    watcher.stdin?.end(JSON.stringify(forms));
    await new Promise((resolve) => watcher.stderr?.once('data', resolve));
  }
  async function stopWatching(): Promise<{ readonly looks: number; readonly hits: readonly string[] }> {
    watcher.kill('SIGTERM');
    await new Promise((resolve) => watcher.once('close', resolve));
    return JSON.parse(watched) as { looks: number; hits: string[] };
  }

  it('reach the step, and nothing else: no output, file, journal or process list of any user shows them', async () => {
    const files = Object.keys(reports).flatMap((format) => ['-o', `${format}=report.${format}`]);
    await startWatching();

    const ended = await project.run(
      ['run', 'leaky.yaml', '-y', '-v', '--debug', '-l', 'far,near', ...files, '-o', 'json'],
      { env },
    );

    const seen = await stopWatching();
    const result = ended.json();
    // Proof that the secrets arrived: the host could hash them.
    for (const name of ['env', 'file', 'exec'] as const) {
      const hash = createHash('sha256').update(secrets[name]).digest('hex');
      expect(
        result.hosts
          .flatMap(({ steps }) => steps)
          .filter(({ step, data }) => step === 'out' && JSON.stringify(data ?? null).includes(hash)),
      ).toHaveLength(2);
    }
    const far = result.hosts.find(({ name }) => name === 'far')?.steps ?? [];
    expect(far.find(({ step }) => step === 'root')).toMatchObject({ outcome: 'ok' });
    expect(JSON.stringify(far.find(({ step }) => step === 'hidden'))).not.toContain('sha256');
    expect(ended.stdout).toContain('***');
    expect(leaksIn(ended.stdout)).toEqual([]);
    expect(leaksIn(ended.stderr)).toEqual([]);
    expect(ended.stderr).toContain('debug ');
    const written = filesBelow(project.folder);
    expect(written.length).toBeGreaterThan(10);
    for (const file of written) expect([file, leaksIn(readFileSync(file, 'utf8'))]).toEqual([file, []]);
    expect(seen.looks).toBeGreaterThan(20);
    expect(seen.hits).toEqual([]);
  });

  it('stay hidden in every report on standard output, and when the run is printed again', async () => {
    for (const format of Object.keys(reports)) {
      const ended = await project.run(['report', '-v', '-o', format]);
      expect([format, leaksIn(ended.stdout), leaksIn(ended.stderr)]).toEqual([format, [], []]);
    }
  });

  it('are not left on the host by a changing step', () => {
    for (const file of filesBelow(userHome)) expect([file, leaksIn(readFileSync(file, 'utf8'))]).toEqual([file, []]);
  });

  it('do not show when a login, a file or a command fails', async () => {
    const login = await project.run(['exec', '-l', 'wrong', '--debug', '--', 'true'], { env });
    const missing = await project.run(['run', 'leaky.yaml', '-l', 'near', '--debug', '-y'], {
      env: { CANARY_ENV: secrets.env },
    });
    chmodSync(join(vault, 'file'), 0o644);
    const open = await project.run(['run', 'leaky.yaml', '-l', 'near', '--debug', '-y'], { env });
    chmodSync(join(vault, 'file'), 0o600);

    expect(login.code).toBe(5);
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain('E_SECRET_MISSING leaky.yaml:7:');
    expect(open).toMatchObject({ code: 5 });
    expect(open.stderr).toMatch(
      /E_SECRET_PERMS leaky.yaml:3:\d+ the secret file .* has mode 0644; others may read it; run: chmod 600/,
    );
    for (const { stdout, stderr } of [login, missing, open]) expect(leaksIn(stdout + stderr)).toEqual([]);
  });

  it('in the inventory are told with their place when they are missing', async () => {
    const ended = await project.run(['exec', '-l', 'wrong', '--', 'true']);

    expect(ended.stderr).toMatch(
      /^opsctl: E_SECRET_MISSING \S*inventory.yaml:4:\d+ the environment variable CANARY_ENV is not set/,
    );
    expect(ended.code).toBe(2);
  });

  it('of the state belong to nobody else', () => {
    for (const file of filesBelow(join(project.folder, 'state')))
      expect([file, statSync(file).mode & 0o077]).toEqual([file, 0]);
  });
});
