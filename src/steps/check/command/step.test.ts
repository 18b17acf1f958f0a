import { describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import kind from './step.js';

const look = (command: string, given: object = {}, shell = 'dash') =>
  judgeOutput(kind, runProbe(kind, { command, ...given }, shell), { command, ...given });

describe('check.command', () => {
  it.each(Object.keys(shells))('runs the text with its arguments, with %s', (shell) => {
    expect(look('printf "%s\\n" "$1"', { args: ['a "b" $(c)'], stdout: '^a "b" \\$\\(c\\)$' }, shell)).toMatchObject({
      outcome: 'ok',
    });
  });

  it('judges the exit status', () => {
    expect(look('echo oops >&2; exit 78')).toMatchObject({
      outcome: 'failed',
      reason: 'exit-status',
      summary: 'exit status 78: oops',
    });
    expect(look('exit 3', { 'exit-status': [3] }).outcome).toBe('ok');
    expect(look('echo low; exit 1', { 'warning-status': [1] })).toMatchObject({
      outcome: 'warning',
      summary: 'exit status 1: low',
    });
  });

  it('knows nothing when the command is not there', () => {
    expect(look('no-such-command-here')).toMatchObject({ outcome: 'unknown', reason: 'tool-missing' });
  });

  it.each([
    [{ stdout: ['up', 'sync'] }, 'ok', 'ok'],
    [{ stdout: ['up', 'down'] }, 'failed', 'no-match'],
    [{ 'stdout-lacks': '(?i)SYNC' }, 'failed', 'match'],
    [{ 'stderr-lacks': '.' }, 'failed', 'match'],
    [{ stderr: 'careful' }, 'ok', 'ok'],
  ])('matches the output: %j', (given, outcome, reason) => {
    expect(look('echo up, in sync; echo careful >&2', given)).toMatchObject({ outcome, reason });
  });

  it.each([
    [{ json: '/nodes/0/lag', warning: 5, critical: 50 }, 'warning', 'value 12, limit 5'],
    [{ json: '/status', equals: 'green' }, 'ok', expect.any(String)],
    [{ json: '/status', equals: 'red' }, 'failed', '/status is green, should be red'],
    [{ json: '/ready', equals: true }, 'ok', expect.any(String)],
    [{ json: '/a~1b', equals: 1 }, 'ok', expect.any(String)],
    [{ json: '/nope', equals: 1 }, 'unknown', 'the output has no /nope'],
    [{ json: '/status', critical: 5 }, 'unknown', 'no number in the output: green'],
    [{ json: '/constructor', equals: 'x' }, 'unknown', 'the output has no /constructor'],
  ])('reads JSON: %j', (given, outcome, summary) => {
    const document = '{"status":"green","ready":true,"nodes":[{"lag":12}],"a/b":1}';

    expect(look('printf %s "$1"', { args: [document], ...given })).toMatchObject({ outcome, summary });
  });

  it('does not take other output for JSON', () => {
    expect(look('echo {', { json: '/a', equals: 1 })).toMatchObject({
      outcome: 'unknown',
      reason: 'unreadable-output',
    });
  });

  it('puts limits on a number, in its unit', () => {
    const { outcome, summary, metrics } = look('echo "took 250 of 300"', { unit: 'ms', warning: 200, critical: '1s' });

    expect({ outcome, summary }).toEqual({ outcome: 'warning', summary: 'value 250 ms, limit 200 ms' });
    expect(metrics).toMatchObject([{ name: 'value', value: 0.25, unit: 'seconds', warning: '0.2', critical: '1' }]);
  });

  // As mawk, the awk of Debian, writes what is above 2^31.
  it.each([
    ['echo 6.44245e+09', 'value 6442450000, limit 5000', 'above-critical'],
    ['echo 2e3 rows', 'value 2000', 'ok'],
    ['echo .50000', 'value 0.5', 'ok'],
    ['echo "-3 below"', 'value -3, limit 5000', 'below-critical'],
    ['echo "12,345 rows"', 'no number in the output: 12,345', 'unreadable-output'],
    ['echo "0.50, 0.30, 0.10"', 'value 0.5', 'ok'],
    ['echo "1, 2, 3"', 'value 1', 'ok'],
  ])('reads the number of %s', (command, summary, reason) => {
    expect(look(command, { critical: 5000 })).toMatchObject({ summary, reason });
  });

  it('compares no number whose last digits are lost on the way', () => {
    const said = `printf '{"id": 9007199254740993}'`;

    expect(look(said, { json: '/id', equals: '9007199254740992' })).toMatchObject({
      outcome: 'unknown',
      summary: 'the number at /id has too many digits to be compared',
    });
    expect(look(said, { json: '/id', warning: '1:' }).outcome).toBe('ok');
  });

  it('takes the number that the pattern names', () => {
    expect(look('echo "took 250 of 300"', { number: 'of ([0-9]+)', critical: 299 }).summary).toBe(
      'value 300, limit 299',
    );
    expect(look('echo none', { critical: 1 })).toMatchObject({
      outcome: 'unknown',
      summary: 'no number in the output',
    });
  });

  it('does not say that output which was cut lacks something', () => {
    const long = 'head -c 1000100 /dev/zero | tr "\\0" x';

    expect(look(long, { stdout: 'y' })).toMatchObject({ outcome: 'unknown', reason: 'output-too-long' });
    expect(look(long, { 'stdout-lacks': 'y' }).outcome).toBe('unknown');
    expect(look(long, { stdout: 'x' }).outcome).toBe('ok');
  });

  it('refuses what cannot work before any contact', () => {
    const problems = kind.validate?.(withDefaults(kind, { command: 'x', stdout: '(', unit: 'ms', critical: '5GiB' }));

    expect(problems?.map(({ path }) => path)).toEqual([['critical'], ['stdout']]);
  });
});
