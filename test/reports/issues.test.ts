import { describe, expect, it } from 'vitest';
import { gitlab } from '../../src/reports/gitlab.js';
import { sarif } from '../../src/reports/sarif.js';
import type { RunResult } from '../../src/result/result.schema.js';
import { disk, hundredHosts, runResult, standings, stepResult, threeHosts } from '../support/results.js';
import { readGitlab } from './gitlab.js';
import { readSarif } from './sarif.js';

const view = { color: false, width: 100, verbose: false };
const entries = (result: RunResult) => readGitlab(gitlab.render(result, view));
const scan = (result: RunResult) => readSarif(sarif.render(result, view));
const prints = (result: RunResult) => entries(result).map(({ fingerprint }) => fingerprint);
const one = (changes: Parameters<typeof stepResult>[0]) => runResult([{ name: 'web1', steps: [stepResult(changes)] }]);
const finding = (changes: object = {}) => ({
  id: 'rule',
  severity: 'high' as const,
  subject: '/var',
  detail: 'full',
  fingerprint: 'rule:/var',
  ...changes,
});

describe('gitlab', () => {
  it('has an entry for all that needs attention, at the runbook', () => {
    expect(entries(threeHosts())).toMatchObject([
      {
        description: 'web2: /: 97% of 20 GiB used\ndo: remove old kernels and journals, or grow the file system',
        check_name: 'check.disk/disk-space',
        severity: 'critical',
        location: { path: 'runbooks/host-health.yaml', lines: { begin: 1 } },
      },
      { description: 'web2: Load: load 3.2 per core (above-warning)', check_name: 'check.load', severity: 'major' },
    ]);
  });

  it('has an entry for each host that nobody could work on', () => {
    expect(entries(hundredHosts()).filter(({ check_name }) => check_name === 'connection')).toHaveLength(3);
  });

  it('makes little of what does not count', () => {
    const severities = entries(standings()).map(({ check_name, severity }) => `${check_name} ${severity}`);

    expect(severities).toEqual([
      'check.disk info',
      'check.disk critical',
      'check.disk info',
      'check.disk critical',
      'check.disk/a info',
      'check.disk/b major',
      'connection major',
    ]);
  });

  it('is empty when all is well', () => {
    expect(entries(runResult([{ name: 'web1', steps: [disk(0.3)] }]))).toEqual([]);
  });

  it('is never empty when the run is not green', () => {
    expect(entries(runResult([]))).toMatchObject([{ check_name: 'run', severity: 'major' }]);
    expect(entries(one({ outcome: 'skipped' }))).toHaveLength(1);
  });

  it('knows an issue again when its numbers changed, and not when its host did', () => {
    const [before] = prints(runResult([{ name: 'web1', steps: [disk(0.95)] }]));
    const [after] = prints(runResult([{ name: 'web1', steps: [disk(0.99)] }], { id: 'another' }));
    const [elsewhere] = prints(runResult([{ name: 'web2', steps: [disk(0.95)] }]));

    expect(after).toBe(before);
    expect(elsewhere).not.toBe(before);
  });

  it('tells two findings of one fingerprint apart', () => {
    expect(new Set(prints(one({ outcome: 'failed', findings: [finding(), finding()] }))).size).toBe(2);
  });

  it('lists what is found where all is well enough, but nothing that was rescued', () => {
    const findings = [finding({ severity: 'info' })];

    expect(entries(one({ findings }))).toMatchObject([{ severity: 'info' }]);
    const rescued = one({ outcome: 'failed', rescued: true, findings });
    expect(entries({ ...rescued, exit: { code: 0, reasons: [] } })).toEqual([]);
  });

  it('says what could not be told, next to what was found', () => {
    expect(entries(one({ outcome: 'unknown', reason: 'tool-missing', findings: [finding()] }))).toHaveLength(2);
  });

  it.each([
    ['runbooks/health.yaml', 'runbooks/health.yaml'],
    ['./health.yaml', 'health.yaml'],
    ['/etc/opsctl/health.yaml', 'opsctl'],
    ['../health.yaml', 'opsctl'],
  ])('puts what comes from %s at %s', (file, path) => {
    const result = runResult([{ name: 'web1', steps: [disk(0.95)] }], { file });

    expect(entries(result)[0]?.location.path).toBe(path);
  });
});

describe('sarif', () => {
  it('has a result for all that needs attention, with its rule, its host and its runbook', () => {
    const { results, tool, invocations } = scan(threeHosts());

    expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['check.disk/disk-space', 'error'],
      ['check.load', 'warning'],
    ]);
    expect(results[0]?.locations[0]).toMatchObject({
      physicalLocation: { artifactLocation: { uri: 'runbooks/host-health.yaml' } },
      logicalLocations: [{ fullyQualifiedName: 'web2//' }],
    });
    expect(tool.driver.rules).toHaveLength(2);
    expect(invocations).toMatchObject([{ executionSuccessful: true, exitCode: 1 }]);
  });

  it.each([
    ['info', 'note'],
    ['low', 'note'],
    ['medium', 'warning'],
    ['high', 'error'],
    ['critical', 'error'],
  ] as const)('gives severity %s level %s', (severity, level) => {
    expect(scan(one({ outcome: 'failed', findings: [finding({ severity })] })).results[0]?.level).toBe(level);
  });

  it('says what is accepted, and what is new, unchanged and absent since the last run', () => {
    const { results } = scan(standings());
    const states = results.map(({ message, baselineState, suppressions, level }) => [
      message.text.split(/[ :]+/)[1],
      baselineState,
      suppressions?.length ?? 0,
      level,
    ]);

    expect(states).toEqual([
      ['accepted', 'unchanged', 1, 'error'],
      ['expired', 'unchanged', 0, 'error'],
      ['shaky', 'new', 0, 'note'],
      ['fresh', 'new', 0, 'error'],
      ['/a', 'unchanged', 1, 'warning'],
      ['/b', 'new', 0, 'warning'],
      ['no', undefined, 0, 'warning'],
      ['mended', 'absent', 0, 'none'],
      ['/c', 'absent', 0, 'none'],
    ]);
  });

  it('gives a finding that is gone the fingerprint that it had', () => {
    const own = finding({ id: 'c', subject: '/c', fingerprint: 'web1/disk/c//c' });
    const before = scan(one({ outcome: 'failed', findings: [own] }));
    const after = scan(one({ gone: [{ id: 'c', subject: '/c', since: '2026-03-01T00:00:00Z' }] }));

    expect(after.results[0]?.partialFingerprints).toEqual(before.results[0]?.partialFingerprints);
  });

  it('does not hide what is unknown', () => {
    expect(scan(one({ outcome: 'unknown', reason: 'timeout' })).results).toMatchObject([
      { level: 'warning', properties: { outcome: 'unknown' } },
    ]);
  });

  it('says that a run that was stopped did not come to its end', () => {
    const result = runResult([{ name: 'web1', steps: [disk(0.95)] }], { stopped: 'deadline' });

    expect(scan(result).invocations).toMatchObject([{ executionSuccessful: false }]);
  });

  it.each([
    ['runbooks/a b#ü.yaml', 'runbooks/a%20b%23%C3%BC.yaml'],
    ['/etc/opsctl/a b.yaml', 'file:///etc/opsctl/a%20b.yaml'],
    ['../health.yaml', 'opsctl'],
  ])('writes %s as an address', (file, uri) => {
    const [first] = scan(runResult([{ name: 'web1', steps: [disk(0.95)] }], { file })).results;

    expect(first?.locations[0]?.physicalLocation?.artifactLocation.uri).toBe(uri);
  });

  it('keeps to what GitHub takes, the worst first, and says how much is left out', () => {
    const many = Array.from({ length: 25_010 }, (_, index) =>
      finding({ subject: `/${index}`, fingerprint: String(index), severity: index === 25_009 ? 'critical' : 'low' }),
    );
    const { results, invocations } = scan(one({ outcome: 'failed', findings: many }));

    expect(results).toHaveLength(25_000);
    expect(results[0]?.message.text).toMatch(/^web1: \/25009:/);
    expect(invocations).toMatchObject([
      { toolExecutionNotifications: [{ message: { text: expect.stringMatching(/^10 more/) } }] },
    ]);
  });

  it('has the same fingerprints as the gitlab report', () => {
    const marks = scan(hundredHosts()).results.map(({ partialFingerprints }) => partialFingerprints['opsctlIssue/v1']);

    expect(marks).toEqual(prints(hundredHosts()));
  });
});
