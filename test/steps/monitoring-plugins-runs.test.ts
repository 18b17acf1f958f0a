import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { stringify } from 'yaml';
import { type Comparison, compare, compareDifferences } from '../support/monitoring-plugins.js';
import { describeWith } from '../support/needs.js';
import { makeProject, type Project } from '../support/opsctl.js';
import { freePort, type Sshd, startSshd } from '../support/sshd.js';

const folder = '/usr/lib/nagios/plugins';
const states = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 };
type Says = keyof typeof states;

let project: Project;
let sshd: Sshd;
let user = '';
let closed = 0;

/** The first result of a run of these steps. */
async function first(steps: readonly object[], more: object = {}, args: readonly string[] = []) {
  project.write('run.yaml', stringify({ name: 'Run', ...more, steps }));
  const ended = await project.run(['run', 'run.yaml', '-o', 'json', ...args]);
  if (ended.stdout === '') throw new Error(ended.stderr);
  const [host] = ended.json().hosts;
  const step = host?.steps[0];
  if (!step) throw new Error(`no step: ${ended.stdout}`);
  return step;
}
const dummy = (state: Says) => ({
  uses: 'check.plugin',
  with: { command: [`${folder}/check_dummy`, String(states[state])] },
});

const dummies = (['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const).map(
  (state): Comparison => ({
    ...{ plugin: 'check_dummy', fault: `is ${state}`, says: state, kind: 'check.plugin' },
    args: () => [String(states[state])],
    ask: () => first([dummy(state)]),
  }),
);
const negate = (state: Says, says: Says): Comparison => ({
  ...{ plugin: 'negate', fault: `of ${state}`, says, kind: 'expect: fail' },
  args: () => [`${folder}/check_dummy`, String(states[state])],
  ask: () => first([{ ...dummy(state), expect: 'fail' }]),
});
/** Two of three must be ok. */
const cluster = (fault: string, members: readonly Says[], says: Says): Comparison => ({
  ...{ plugin: 'check_cluster', fault, says, kind: 'require: 2' },
  args: () => ['-s', '-c', '1', '-d', members.map((state) => states[state]).join()],
  ask: () => first([{ id: 'all', name: 'All', require: 2, steps: members.map(dummy) }]),
});
const bySsh = (fault: string, state: Says, says: Says, port: () => number, identity: () => string): Comparison => ({
  ...{ plugin: 'check_by_ssh', fault, says, kind: 'check.plugin over ssh' },
  args: () => [
    ...['-H', '127.0.0.1', '-p', String(port()), '-l', user, '-i', identity(), '-t', '20'],
    ...[
      '-o',
      `UserKnownHostsFile=${sshd.knownHostsFile}`,
      '-o',
      'BatchMode=yes',
      '-C',
      `${folder}/check_dummy ${states[state]}`,
    ],
  ],
  ask: () => {
    const host = { address: '127.0.0.1', user, connect: { port: port(), identity: identity() } };
    project.write('inventory.yaml', stringify({ hosts: { web1: host } }));
    return first([dummy(state)], { hosts: 'all' }, ['-i', 'inventory.yaml']);
  },
});
/** Looks that follow each other: the second comes after these lines. */
const log = (fault: string, lines: string, says: Says): Comparison => ({
  ...{ plugin: 'check_log', fault, says, kind: 'check.log' },
  args: () => {
    appendFileSync(join(project.folder, 'app.log'), lines);
    return ['-F', join(project.folder, 'app.log'), '-O', join(project.folder, 'app.old'), '-q', 'ERROR'];
  },
  ask: () =>
    first([{ id: 'log', uses: 'check.log', with: { path: join(project.folder, 'app.log'), pattern: ['ERROR'] } }]),
});
const noLog: Comparison = {
  ...{ plugin: 'check_log', fault: 'no such file', says: 'UNKNOWN', kind: 'check.log' },
  args: () => ['-F', '/no/such.log', '-O', join(project.folder, 'none.old'), '-q', 'ERROR'],
  ask: () => first([{ id: 'none', uses: 'check.log', with: { path: '/no/such.log', pattern: ['ERROR'] } }]),
};

const open = () => sshd.port;
const key = () => sshd.identity;
const comparisons: readonly Comparison[] = [
  ...dummies,
  negate('OK', 'CRITICAL'),
  negate('WARNING', 'WARNING'),
  negate('CRITICAL', 'OK'),
  negate('UNKNOWN', 'UNKNOWN'),
  cluster('all are well', ['OK', 'OK', 'OK'], 'OK'),
  cluster('one is not', ['OK', 'CRITICAL', 'OK'], 'OK'),
  cluster('two are not', ['CRITICAL', 'OK', 'CRITICAL'], 'CRITICAL'),
  cluster('two warn', ['WARNING', 'OK', 'WARNING'], 'CRITICAL'),
  cluster('two are unknown', ['UNKNOWN', 'OK', 'UNKNOWN'], 'CRITICAL'),
  bySsh('is OK', 'OK', 'OK', open, key),
  bySsh('is CRITICAL', 'CRITICAL', 'CRITICAL', open, key),
  bySsh('nobody there', 'OK', 'UNKNOWN', () => closed, key),
  bySsh('a key that is not let in', 'OK', 'UNKNOWN', open, () => join(sshd.folder, 'stranger')),
  log('the first look', 'ERROR old\n', 'OK'),
  log('a new line that matches', 'ERROR new\n', 'CRITICAL'),
  log('no new line that matches', 'all fine\n', 'OK'),
  noLog,
];

const needs = ['root', 'check_ldap', 'check_dummy', 'sshd', 'ssh'] as const;
describeWith('monitoring plugins that work with others, and what opsctl has for them', needs, () => {
  beforeAll(async () => {
    sshd = await startSshd();
    sshd.makeKey('stranger');
    user = sshd.addUser().name;
    closed = await freePort();
    project = makeProject({ 'opsctl.yaml': `known_hosts: ${sshd.knownHostsFile}\n` });
    const line = sshd.hostKeyLine.replaceAll(String(sshd.port), String(closed));
    writeFileSync(sshd.knownHostsFile, `${sshd.hostKeyLine}\n${line}\n`);
  });
  afterAll(async () => {
    await sshd.stop();
    project.remove();
  });

  compare(comparisons);
  compareDifferences(comparisons);
});
