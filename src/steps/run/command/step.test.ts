import { describe, expect, it } from 'vitest';
import { judgeOutput, runProbe, shells, withDefaults } from '../../../../test/support/probe.js';
import { Secret } from '../../../secrets/secret.js';
import kind from './step.js';

const run = (command: string, rest: object = {}, shell = 'dash') => {
  const given = { command, effect: 'read', ...rest };
  const output = runProbe(kind, given, shell);
  return { ...kind.parse(output, withDefaults(kind, given)), ...judgeOutput(kind, output, given) };
};

describe('run.command', () => {
  it.each(Object.keys(shells))('hands values over as arguments with %s', (shell) => {
    const odd = `a b\\n"$(id)" 'x' * \\\\ €`;
    const result = run('printf "%s|" "$@"', { args: [odd, '', '-n', 0] }, shell);

    expect(result.stdout).toBe(`${odd}||-n|0|`);
    expect(result.outcome).toBe('ok');
  });

  it('keeps status, output and errors', () => {
    expect(run('echo out; echo oops >&2; exit 78')).toMatchObject({
      exitStatus: 78,
      stdout: 'out\n',
      stderr: 'oops\n',
      outcome: 'failed',
      reason: 'exit-status',
      summary: 'exit status 78: oops',
    });
  });

  it('takes other statuses for success when told so', () => {
    expect(run('exit 3', { 'ok-status': [0, 3] })).toMatchObject({ outcome: 'ok', summary: 'exit status 3' });
  });

  it('has changed the host when the author says so', () => {
    expect(run('echo done', { effect: 'change' })).toMatchObject({ outcome: 'changed', summary: 'done' });
    expect(typeof kind.effect === 'function' && kind.effect(withDefaults(kind, { effect: 'change' }))).toBe('change');
    expect(kind.params.required).toContain('effect');
  });

  it('gives the text nothing to read', () => {
    expect(run('cat; echo end').stdout).toBe('end\n');
  });

  it('uses another shell', () => {
    expect(run('[[ $1 == x* ]] && echo "$0"', { shell: 'bash', args: ['xyz'] }).stdout).toBe('bash\n');
  });

  it('names a command that is missing and a signal', () => {
    expect(run('no-such-command-here').summary).toContain('exit status 127 (command not found): ');
    expect(run('kill -TERM $$').summary).toMatch(/^exit status 143 \(signal 15\)/);
  });

  it('keeps the head of long output only', () => {
    const result = run('head -c 100000 /dev/zero | tr "\\0" x');

    expect(result.stdout).toHaveLength(65_536);
    expect(result.truncated).toBe(true);
  });

  it('leaves secrets secret', () => {
    const args = kind.args(
      withDefaults(kind, { command: 'x', effect: 'read', args: [new Secret('env:TOKEN', 'hunter2')] }),
    );

    expect(args.map(String).join()).not.toContain('hunter2');
    expect(args[3]).toBeInstanceOf(Secret);
  });

  it.each(Object.keys(shells))('keeps secrets out of the process list with %s', (shell) => {
    const result = run(
      'cat /proc/$$/cmdline; printf %s "$2"',
      { args: ["it's", new Secret('hidden-1', 'value')] },
      shell,
    );

    expect(result.stdout.match(/hidden-1/g)).toHaveLength(1);
  });

  it('gives no secret to a program that would show it', () => {
    const result = run('print(1)', { shell: 'python3', args: [new Secret('env:TOKEN', 'hunter2')] });

    expect(result).toMatchObject({
      outcome: 'failed',
      exitStatus: 126,
      stderr: 'only a POSIX shell can be handed a secret out of sight, not python3\n',
    });
  });
});
