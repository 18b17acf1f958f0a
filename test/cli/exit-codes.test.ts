import { afterAll, beforeAll, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.js';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';
import { oneStep } from './shell.js';

interface Scenario {
  readonly runbook: string;
  readonly hosts: string;
  readonly flags?: readonly string[];
  readonly code: number;
  /** What a monitoring daemon is told: 0 to 3. */
  readonly nagios: number;
}

const fine = oneStep('echo hi');
const failing = oneStep('exit 3');
const unknown = oneStep('sleep 20', ', timeout: 1s');
const warning = 'name: W\nsteps:\n  - { uses: check.load, with: { warning: "@0:", critical: 100000 } }\n';
/** Fails on bad, is unknown on odd, is fine elsewhere. */
const mixed = `name: Mixed
steps:
  - { id: f, uses: run.command, when: "host.name == 'bad'", with: { command: exit 3, effect: read } }
  - { id: u, uses: run.command, when: "host.name == 'odd'", timeout: 1s, with: { command: sleep 20, effect: read } }
  - { id: k, uses: run.command, with: { command: "true", effect: read } }
`;

const scenarios: Readonly<Record<string, Scenario>> = {
  'everything is fine': { runbook: fine, hosts: 'good', code: 0, nagios: 0 },
  'something is worth a warning': { runbook: warning, hosts: 'good', code: 0, nagios: 1 },
  'a warning is to count': { runbook: warning, hosts: 'good', flags: ['--fail-on', 'warning'], code: 1, nagios: 1 },
  'a step failed': { runbook: failing, hosts: 'good', code: 1, nagios: 2 },
  'a step has no proven end': { runbook: unknown, hosts: 'good', code: 3, nagios: 3 },
  'every step was skipped': { runbook: oneStep('true', ', when: "1 == 2"'), hosts: 'good', code: 3, nagios: 3 },
  'a host is unreachable': { runbook: fine, hosts: 'gone', code: 4, nagios: 3 },
  'the key of a host is not known': { runbook: fine, hosts: 'stranger', code: 5, nagios: 2 },
  'one host is fine and one is gone': { runbook: fine, hosts: 'good,gone', code: 4, nagios: 3 },
  'one failed and one is gone': { runbook: mixed, hosts: 'bad,gone', code: 1, nagios: 2 },
  'one failed and one is unknown': { runbook: mixed, hosts: 'bad,odd', code: 3, nagios: 2 },
  'one is unknown and one is refused': { runbook: mixed, hosts: 'odd,stranger', code: 5, nagios: 2 },
  'all of it at once': { runbook: mixed, hosts: 'good,bad,odd,gone,stranger', code: 5, nagios: 2 },
};

describeWith('the exit code', ['sshd', 'ssh-keygen', 'root'], () => {
  let sshd: Sshd;
  let project: Project;
  beforeAll(async () => {
    sshd = await startSshd();
    project = makeProject({
      'opsctl.yaml': 'inventory: inventory.yaml\nknown_hosts: known_hosts\n',
      known_hosts: '',
      'inventory.yaml': `hosts:
  good: { transport: local }
  bad: { transport: local }
  odd: { transport: local }
  gone: { address: 127.0.0.1, port: ${await freePort()}, user: nobody, identity: ${sshd.identity} }
  stranger: { address: 127.0.0.1, port: ${sshd.port}, user: nobody, identity: ${sshd.identity} }
`,
    });
  });
  afterAll(async () => {
    project.remove();
    await sshd.stop();
  });

  it.each(Object.entries(scenarios))('when %s is the same for every report', async (title, scenario) => {
    const { runbook, hosts, flags = [], code, nagios } = scenario;
    const file = `${title.replaceAll(' ', '-')}.yaml`;
    project.write(file, runbook);

    const files = Object.keys(reports).flatMap((format) => ['-o', `${format}=${file}.${format}`]);
    const run = async (...more: readonly string[]) => project.run(['run', file, '-l', hosts, ...flags, ...more]);
    const [toFiles, ...shown] = await Promise.all([
      run(...files),
      ...Object.keys(reports).map(async (format) => [format, (await run('-o', format)).code] as const),
    ]);

    expect(toFiles.code).toBe(code);
    expect(shown).toEqual(Object.keys(reports).map((format) => [format, format === 'nagios' ? nagios : code]));
  });

  it.each(['table', 'json', 'nagios'])('of a run that cannot begin is 2 for %s, never 0', async (format) => {
    for (const line of ['run none.yaml', 'run ok.yaml -l nobody', 'run ok.yaml --tags none']) {
      project.write('ok.yaml', fine);
      expect(await project.run([...line.split(' '), '-o', format])).toMatchObject({ code: 2, stdout: '' });
    }
  });

  it('of a run that reached its deadline says that work is left', async () => {
    project.write('long.yaml', oneStep('sleep 20'));

    const ended = await project.run(['run', 'long.yaml', '-l', 'good', '--timeout', '1s', '-o', 'json']);

    expect(ended.code).toBe(3);
    expect(ended.json().run.stopped).toBe('deadline');
    expect(ended.json().exit.reasons).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 124, reason: 'deadline' })]),
    );
  });
});
