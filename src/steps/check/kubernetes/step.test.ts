import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fixture, judgeOutput, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const well = fixture('cluster.txt', import.meta.url);
const judge = (said: string, given: object = {}) => judgeOutput(kind, said, given);
const object = (line: string, given: object = {}) =>
  judge(`${line.replaceAll(' ', '\t').replaceAll('<no.value>', '<no value>')}\nend\n`, given);

const deployment = 'Deployment n x generation=2 observed=2 replicas=3 ready=3 updated=3 available=3 paused=<no.value>';
const set =
  'StatefulSet n x generation=2 observed=2 replicas=3 ready=3 updated=3 current=a update=a strategy=RollingUpdate';
const daemons = 'DaemonSet n x generation=2 observed=2 desired=3 scheduled=3 number-ready=3 strategy=RollingUpdate';
const node = 'Node  x unschedulable=<no.value> DiskPressure=False Ready=True';
const pod = 'Pod n x phase=Running Ready=True/ container=app/true/2/';

describe('check.kubernetes', () => {
  it('reads a cluster that is well', () => {
    const { metrics, ...said } = judge(well);

    expect(said).toEqual({ outcome: 'ok', reason: 'ok', summary: '1 node, 2 workloads, 1 pod: all well' });
    expect(metrics?.map(({ name, value }) => [name, value])).toEqual([
      ['nodes', 1],
      ['nodes-ready', 1],
      ['workloads', 2],
      ['workloads-ready', 2],
      ['pods', 1],
      ['restarts', 0],
    ]);
  });

  it.each([deployment, set, daemons, node, pod])('finds nothing wrong with %s', (line) => {
    expect(object(line).outcome).toBe('ok');
  });

  it.each([
    [node.replace('Ready=True', 'Ready=False'), 'node-not-ready', 'node x is not ready'],
    [node.replace('Ready=True', 'Ready=Unknown'), 'node-not-ready', 'node x is not ready: it is silent'],
    [node.replace('Pressure=False', 'Pressure=True'), 'node-condition', 'node x has DiskPressure'],
    [node.replace('<no.value>', 'true'), 'node-cordoned', 'node x takes no new pods'],
    [deployment.replace('observed=2', 'observed=1'), 'not-rolled-out', /^Deployment n\/x has a new specification/],
    [deployment.replace('updated=3', 'updated=1'), 'not-rolled-out', 'Deployment n/x has 1 of 3 updated'],
    [deployment.replace('ready=3', 'ready=2'), 'not-ready', 'Deployment n/x has 2 of 3 ready'],
    [deployment.replace('available=3', 'available=2'), 'not-ready', 'Deployment n/x has 2 of 3 ready'],
    [
      `${deployment} Progressing=False/ProgressDeadlineExceeded`,
      'rollout-stuck',
      'the rollout of Deployment n/x is stuck',
    ],
    [set.replace('update=a', 'update=b').replace('updated=3', 'updated=1'), 'not-rolled-out', /1 of 3 updated/],
    [set.replace('ready=3', 'ready='), 'not-ready', 'StatefulSet n/x has 0 of 3 ready'],
    [daemons.replace('number-ready=3', 'number-ready=2'), 'not-ready', 'DaemonSet n/x has 2 of 3 ready'],
    [daemons.replace('scheduled=3', 'scheduled=2'), 'not-rolled-out', 'DaemonSet n/x has 2 of 3 updated'],
    [
      pod.replace('Running', 'Failed').replace(' Ready', ' reason=Evicted Ready'),
      'pod-failed',
      'pod n/x failed (Evicted)',
    ],
    [pod.replace('true/2/', 'false/9/CrashLoopBackOff'), 'pod-waiting', 'app of pod n/x waits: CrashLoopBackOff'],
    ['Pod n x phase=Pending PodScheduled=False/Unschedulable', 'pod-unschedulable', 'pod n/x fits on no node'],
    ['Pod n x phase=Pending init-container=i/false/0/ErrImagePull', 'pod-waiting', 'i of pod n/x waits: ErrImagePull'],
    ['Pod n x phase=Pending container=a/false/0/ContainerCreating', 'pod-not-ready', 'pod n/x is not ready'],
    [pod.replace('Ready=True', 'Ready=False'), 'pod-not-ready', 'pod n/x is not ready'],
    [pod.replace('Running', 'Unknown'), 'pod-phase', 'pod n/x is Unknown'],
  ])('finds %s', (line, reason, summary) => {
    expect(object(line)).toMatchObject({
      reason,
      summary: typeof summary === 'string' ? summary : expect.stringMatching(summary),
    });
  });

  it.each([
    pod.replace('Running', 'Succeeded').replace('Ready=True', 'Ready=False'),
    `${pod.replace('true/2/', 'false/9/CrashLoopBackOff')} deleted=2026-01-01T00:00:00Z`,
    deployment.replace('updated=3', 'updated=1').replace('paused=<no.value>', 'paused=true'),
    set.replace('update=a', 'update=b').replace('updated=3', 'updated=1').replace('RollingUpdate', 'OnDelete'),
    `${set.replace('update=a', 'update=b').replace('updated=3', 'updated=1')} partition=2`,
    daemons.replace('scheduled=3', 'scheduled=0').replace('RollingUpdate', 'OnDelete'),
    deployment.replace('replicas=3', 'replicas=0').replace('ready=3', 'ready=').replace('available=3', 'available='),
  ])('leaves %s alone', (line) => {
    expect(object(line).outcome).toBe('ok');
  });

  it('counts restarts', () => {
    expect(object(pod, { 'restarts-warning': 1 })).toMatchObject({
      outcome: 'warning',
      reason: 'above-warning',
      summary: 'app of pod n/x was restarted 2 times, limit 1',
    });
    expect(object(pod, { 'restarts-critical': 1 }).outcome).toBe('failed');
  });

  it('knows nothing of a cluster that shows nothing', () => {
    expect(judge('No resources found\nend\n')).toMatchObject({ outcome: 'unknown', reason: 'nothing-found' });
    expect(judge('\nend\n', { namespace: 'n', selector: 'a=b', kinds: ['pods'] }).summary).toBe(
      'namespace n shows none of pods with a=b',
    );
  });

  it('takes warnings of kubectl for what they are', () => {
    expect(judge(`Warning: v1 Foo is deprecated\n${well}`).outcome).toBe('ok');
  });

  it.each([
    '',
    well.replace('end\n', ''),
    'Node\t\nend\n',
    'Node\t\tx\nend\n',
    'Pod\tn\tx\nend\n',
    'DaemonSet\tn\tx\tdesired=a\nend\n',
  ])('does not take %j for an answer', (said) => {
    expect(() => judge(said)).toThrow();
  });

  it('asks kubectl for what is wanted', () => {
    const args = (given: object) => kind.args(withDefaults(kind, given));

    expect(args({})[0]).toBe('nodes,deployments.apps,statefulsets.apps,daemonsets.apps,pods');
    expect(
      args({
        kinds: ['pods'],
        namespace: 'n',
        selector: 'a in (b)',
        context: 'c',
        kubeconfig: '/k',
        deadline: '500ms',
      }),
    ).toEqual(['pods', 'n', 'a in (b)', 'c', '/k', '1']);
  });

  it('says when there is no kubectl', () => {
    const args = kind.args(withDefaults(kind)).map(String);
    const { status, stderr } = spawnSync('/bin/sh', ['-c', kind.probe.text, 'sh', ...args], { env: { PATH: '/none' } });

    expect({ status, said: stderr.toString() }).toEqual({ status: 127, said: 'kubectl is not installed\n' });
  });
});
