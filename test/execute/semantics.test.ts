import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { makeProject, stepOf } from '../support/opsctl.js';

const project = makeProject({
  'hosts.yaml': `hosts:
  here: { connect: { transport: local }, vars: { color: red, disks: [a, b] } }
  there: { connect: { transport: local }, vars: { color: blue } }
`,
});
afterAll(() => project.remove());

/** `id: [command, more]` as a reading step. */
const read = (id: string, command: string, more = '') =>
  `{ id: ${id}, uses: run.command, with: { command: ${JSON.stringify(command)}, effect: read }${more && `, ${more}`} }`;
const change = (id: string, command: string, more = '') =>
  read(id, command, more).replace('effect: read', 'effect: change');

async function run(steps: string, args: readonly string[] = ['-l', 'here'], head = '') {
  project.write('book.yaml', `name: Book\n${head}\nsteps:\n${steps.replace(/^ {6}/gm, '  ')}\n`);
  let ended = await project.run(['run', 'book.yaml', '-i', 'hosts.yaml', '-y', '-o', 'json', ...args]);
  // Somebody else may be changing this machine.
  for (let tries = 0; tries < 30 && ended.stdout.includes('"locked"'); tries += 1) {
    await sleep(500);
    ended = await project.run(['run', 'book.yaml', '-i', 'hosts.yaml', '-y', '-o', 'json', ...args]);
  }
  const result = (): RunResult => {
    if (ended.stdout === '') throw new Error(ended.stderr);
    return ended.json();
  };
  return {
    ...ended,
    result,
    told: (step: string, host = 'here') => {
      const { outcome, reason } = stepOf(result(), host, step);
      return `${outcome} ${reason}`;
    },
    said: (step: string, host = 'here') => (stepOf(result(), host, step).data as { stdout: string }).stdout,
    items: (step: string, host = 'here') =>
      result()
        .hosts.find(({ name }) => name === host)
        ?.steps.filter((each) => each.step === step)
        .map(({ item, outcome, data }) =>
          `${item ?? '-'} ${outcome} ${(data as { stdout?: string })?.stdout?.trim() ?? ''}`.trim(),
        ),
  };
}

describe('each', () => {
  it('runs once an item: of a list, of the params, of what an earlier step said; and not at all for an empty one', async () => {
    const print = 'with: { command: "echo \\"$1\\"", args: ["${{ item }}"], effect: read }';
    const { items, told, said, code } = await run(
      `
      - { id: fixed, uses: run.command, each: [one, two, one], ${print} }
      - { id: given, uses: run.command, each: "params.names", ${print} }
      - { id: own, uses: run.command, each: "vars.disks", ${print} }
      - ${read('lines', 'printf "x,y,z"')}
      - { id: found, uses: run.command, each: "steps.lines.data.stdout.split(',')", when: 'item != "y"', ${print} }
      - { id: none, uses: run.command, each: "steps.lines.data.stdout.split(',').filter(x, x == 'q')", ${print} }
      - { id: guarded, uses: run.command, when: steps.lines.failed, each: "steps.lines.data.absent", ${print} }
      - { id: broken, uses: run.command, each: "steps.lines.data.absent", with: { command: "echo ran", effect: read } }
      - { id: sum, uses: run.command, with: { command: "echo \\"$@\\"", args: ["\${{ steps.found.items.map(x, x.item).join('+') }}", "\${{ steps.found.outcome }}", "\${{ steps.none.items.size() }}"], effect: read } }
`.replaceAll('\\${{', '${{'),
      ['-l', 'here', '-p', 'names=["p","q"]'],
      'params: { names: { type: array } }',
    );

    expect(items('fixed')).toEqual(['one ok one', 'two ok two', 'one (2) ok one']);
    expect(items('given')).toEqual(['p ok p', 'q ok q']);
    expect(items('own')).toEqual(['a ok a', 'b ok b']);
    expect(items('found')).toEqual(['x ok x', 'y skipped', 'z ok z']);
    expect(told('none')).toBe('skipped no-items');
    expect(told('guarded')).toBe('skipped condition');
    expect(told('broken')).toBe('unknown expression-error');
    expect(said('sum')).toBe('x+y+z ok 0\n');
    expect(code).toBe(3);
  });

  it('stops a loop of changes at the first that fails, known before or not', async () => {
    const work =
      'with: { command: "[ \\"$1\\" != b ] && echo \\"$1\\" >>LOG", args: ["${{ item }}"], effect: change }'.replace(
        'LOG',
        join(project.folder, 'loop'),
      );
    const fixed = await run(`      - { id: all, uses: run.command, each: [a, b, c], ${work} }`);
    const found = await run(
      `      - ${read('list', 'printf "a b c"')}\n      - { id: all, uses: run.command, each: "steps.list.data.stdout.split(' ')", ${work} }`,
    );

    for (const { items, code } of [fixed, found]) {
      expect(items('all')?.map((item) => item.split(' ').slice(0, 2).join(' '))).toEqual([
        'a changed',
        'b failed',
        'c skipped',
      ]);
      expect(code).toBe(1);
    }
    expect(readFileSync(join(project.folder, 'loop'), 'utf8')).toBe('a\na\n');
  });
});

describe('conditions, tags and hosts', () => {
  it('choose what runs where', async () => {
    const { told, code } = await run(
      `
      - ${read('first', 'echo 1')}
      - ${read('red', 'echo red', 'when: vars.color == "red"')}
      - ${read('only', 'echo only', 'hosts: there')}
      - ${read('after', 'exit 1', 'when: steps.only.skipped')}
      - { name: Group, when: steps.first.failed, steps: [${read('inside', 'exit 1')}] }
      - ${read('never', 'exit 1', 'when: false')}
      - ${read('last', 'echo last', "when: steps.first.ok && steps.first.data.stdout == '1\\n'")}
`,
      [],
    );

    expect(['first', 'red', 'inside', 'never', 'last'].map((step) => told(step))).toEqual([
      'ok ok',
      'ok ok',
      'skipped condition',
      'skipped condition',
      'ok ok',
    ]);
    expect(told('red', 'there')).toBe('skipped condition');
    expect(told('only', 'there')).toBe('ok ok');
    expect(() => told('only')).toThrow('no step');
    expect(told('after')).toBe('failed exit-status');
    expect(told('after', 'there')).toBe('skipped condition');
    expect(code).toBe(1);
  });

  it('take tags from groups, and refuse a choice of nothing', async () => {
    const steps = `
      - ${read('plain', 'echo 1')}
      - { name: Group, tags: [slow], steps: [${read('inside', 'echo 1')}, ${read('both', 'echo 1', 'tags: [fast]')}] }
      - ${read('reader', 'echo 1', 'tags: [slow], when: steps.plain.skipped')}
`;
    const slow = await run(steps, ['-l', 'here', '--tags', 'slow', '--skip-tags', 'fast']);
    const none = await run(steps, ['-l', 'here', '--tags', 'nothing']);

    expect(slow.result().hosts[0]?.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'inside ok',
      'reader ok',
    ]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('E_NO_STEPS');
  });
});

describe('groups', () => {
  it('are saved by a rescue that worked, and by nothing else', async () => {
    const { told, result, code } = await run(`
      - name: Saved
        steps: [${change('body', 'exit 3')}, ${read('rest', 'echo 1')}]
        rescue: [${read('why', 'echo "$1"').replace('effect: read', 'effect: read, args: ["${{ steps.body.reason }}", "${{ steps.rest.outcome }}"]')}]
        always: [${read('tidy', 'echo 1')}]
      - name: Fine
        steps: [${read('good', 'echo 1')}]
        rescue: [${read('unused', 'exit 1')}]
      - name: Outer
        steps:
          - name: Inner
            steps: [${read('deep', 'exit 4')}]
            rescue: [${read('helpless', 'exit 5')}]
            always: [${read('inner_always', 'echo 1')}]
        rescue: [${read('outer', 'echo 1')}]
      - ${read('onward', 'echo 1')}
`);

    expect(
      ['body', 'rest', 'why', 'tidy', 'unused', 'deep', 'helpless', 'inner_always', 'outer', 'onward'].map((s) =>
        told(s),
      ),
    ).toEqual([
      'failed exit-status',
      'skipped earlier-failure',
      'ok ok',
      'ok ok',
      'skipped not-needed',
      'failed exit-status',
      'failed exit-status',
      'ok ok',
      'ok ok',
      'ok ok',
    ]);
    expect(['body', 'deep', 'helpless'].map((step) => stepOf(result(), 'here', step).rescued)).toEqual([
      true,
      true,
      true,
    ]);
    expect(code).toBe(0);
  });

  it('stay failed when the rescue fails or does nothing, and unknown whatever the rescue does', async () => {
    const failing = await run(`
      - name: Lost
        steps: [${change('body', 'exit 3')}]
        rescue: [${read('helpless', 'exit 5')}]
        always: [${read('tidy', 'echo 1')}]
      - ${read('never', 'echo 1')}
`);
    expect(['body', 'helpless', 'tidy', 'never'].map((step) => failing.told(step))).toEqual([
      'failed exit-status',
      'failed exit-status',
      'ok ok',
      'skipped earlier-failure',
    ]);
    expect(failing.code).toBe(1);

    const idle = await run(`
      - { steps: [${read('body', 'exit 3')}], rescue: [${read('idle', 'echo 1', 'when: false')}] }
      - ${read('onward', 'echo 1')}
`);
    expect(stepOf(idle.result(), 'here', 'body')).not.toHaveProperty('rescued');
    expect(idle.told('onward')).toBe('ok ok');
    expect(idle.code).toBe(1);

    const unknown = await run(`
      - steps: [${read('body', 'sleep 30', 'timeout: 1s, on-failure: stop')}]
        rescue: [${read('tried', 'echo 1')}]
      - ${read('never', 'echo 1')}
`);
    expect(['body', 'tried', 'never'].map((step) => unknown.told(step))).toEqual([
      'unknown timeout',
      'ok ok',
      'skipped earlier-failure',
    ]);
    expect(stepOf(unknown.result(), 'here', 'body')).not.toHaveProperty('rescued');
    expect(unknown.code).toBe(3);
  });

  it('go on or stop after a failure as the step says', async () => {
    const { told, code } = await run(`
      - ${read('soft', 'exit 1')}
      - ${change('go_on', 'exit 2', 'on-failure: continue')}
      - ${read('hard', 'exit 1', 'on-failure: stop')}
      - ${read('never', 'echo 1')}
`);

    expect(['soft', 'go_on', 'hard', 'never'].map((step) => told(step))).toEqual([
      'failed exit-status',
      'failed exit-status',
      'failed exit-status',
      'skipped earlier-failure',
    ]);
    expect(code).toBe(1);
  });
});

describe('retry', () => {
  it('tries again until it is ok, or until its condition holds, and counts', async () => {
    const third = (name: string) => `echo . >>${join(project.folder, name)}; wc -l <${join(project.folder, name)}`;
    const { told, result, code, stderr } = await run(
      `
      - ${read('grows', `${third('grows')}; [ "$(wc -l <${join(project.folder, 'grows')})" -ge 3 ]`, 'retry: { attempts: 5, every: 0.1s }')}
      - ${read('until', third('until'), 'retry: { attempts: 5, every: 0.1s, until: "result.data.stdout.trim() == \'2\'" }')}
      - ${read('never', 'echo fine', 'retry: { attempts: 2, every: 0.1s, until: "result.data.stdout == \'other\'" }')}
      - ${read('unreadable', 'echo fine', 'retry: { attempts: 2, every: 0.1s, until: "result.data.absent == \'x\'" }')}
      - ${read('list', 'printf "a b"')}
      - { id: loop, uses: run.command, each: "steps.list.data.stdout.split(' ')", retry: { attempts: 3, every: 0.1s }, with: { command: "echo . >>$1; [ $(wc -l <$1) -ge 2 ]", args: ["\${{ '${project.folder}/loop-' + item }}"], effect: read } }
      - { id: closed, uses: check.http, retry: { attempts: 2, every: 0.1s }, with: { url: "http://127.0.0.1:1/" } }
`.replaceAll('\\${{', '${{'),
      ['-l', 'here', '--debug'],
    );
    const attempts = (step: string) =>
      result()
        .hosts[0]?.steps.filter((each) => each.step === step)
        .map((each) => each.attempts);

    expect(told('grows')).toBe('ok ok');
    expect(attempts('grows')).toEqual([3]);
    expect(told('until')).toBe('ok ok');
    expect(attempts('until')).toEqual([2]);
    expect(told('never')).toBe('failed until');
    expect(attempts('never')).toEqual([2]);
    expect(told('unreadable')).toBe('unknown expression-error');
    expect(attempts('loop')).toEqual([2, 2]);
    expect(told('closed')).toMatch(/^(failed|unknown) /);
    expect(attempts('closed')).toEqual([2]);
    expect(stderr.match(/retry/g)?.length).toBeGreaterThanOrEqual(8);
    expect(code).toBe(3);
  });

  it('is refused for a change, however the change is written', async () => {
    const plain = await run(`      - ${change('twice', 'echo', 'retry: { attempts: 2 }')}`);
    const rendered = await run(
      `      - { id: twice, uses: run.command, retry: { attempts: 2 }, with: { command: echo, args: ["\${{ host.name }}"], effect: change } }`,
    );

    for (const { code, stderr } of [plain, rendered]) {
      expect(code).toBe(2);
      expect(stderr).toContain('E_RETRY_CHANGE');
    }
  });
});

describe('included runbooks', () => {
  it('have params, ids, vars and hosts of their own', async () => {
    project.write(
      'part.yaml',
      `name: Part
params: { greeting: { type: string }, times: { type: integer, default: 2 } }
vars: { color: green, shade: dark }
hosts: here
steps:
  - ${read('first', 'echo "$@"').replace('effect: read', 'effect: read, args: ["${{ params.greeting }}", "${{ params.times }}", "${{ vars.color }}", "${{ vars.shade }}"]')}
  - ${read('second', 'echo "$1"', 'when: steps.first.ok').replace('effect: read', 'effect: read, args: ["${{ steps.first.data.stdout.trim() }}"]')}
`,
    );
    const { told, said, result, code } = await run(
      `
      - ${read('first', 'echo outer')}
      - { id: part, uses: flow.runbook, with: { file: part.yaml, params: { greeting: "\${{ steps.first.data.stdout.trim() }}" } } }
      - ${read('last', 'echo "$1"').replace('effect: read', 'effect: read, args: ["${{ steps.first.data.stdout }}"]')}
`.replaceAll('\\${{', '${{'),
      [],
    );

    expect(said('first')).toBe('outer\n');
    expect(said('part/first')).toBe('outer 2 red dark\n');
    expect(said('part/second')).toBe('outer 2 red dark\n');
    expect(said('last')).toBe('outer\n\n');
    expect(told('last', 'there')).toBe('ok ok');
    expect(result().hosts[1]?.steps.map(({ step }) => step)).toEqual(['first', 'last']);
    expect(code).toBe(0);
  });
});

describe('what goes wrong with values', () => {
  it('is the result of the step on that host, and never a crash', async () => {
    const { told, result, code } = await run(
      `
      - ${read('bytes', 'printf "a\\0b"')}
      - ${read('nul', 'echo "$1"').replace('effect: read', 'effect: read, args: ["${{ steps.bytes.data.stdout }}"]')}
      - ${read('missing', 'echo', 'when: steps.bytes.data.absent == 1')}
      - { id: number, uses: run.command, with: { command: 'echo "$1"', args: ["\${{ steps.bytes.data.exitStatus }}", "\${{ steps.bytes.ok }}"], effect: read } }
      - { id: invalid, uses: check.port, with: { port: "\${{ steps.bytes.data.exitStatus }}" } }
      - { id: output, uses: check.command, with: { command: "echo words", number: true } }
      - ${read('last', 'echo 1')}
`
        .replaceAll('\\${{', '${{')
        .replace(', number: true', ''),
    );

    expect(told('nul')).toBe('unknown expression-error');
    expect(stepOf(result(), 'here', 'nul').summary).toContain('NUL');
    expect(told('missing')).toBe('unknown expression-error');
    expect(stepOf(result(), 'here', 'number').data).toMatchObject({ stdout: '0\n' });
    expect(told('invalid')).toBe('unknown expression-error');
    expect(told('last')).toBe('ok ok');
    expect(code).toBe(3);
  });

  it('points into the expression of a condition', async () => {
    const { stderr, code } = await run(`      - ${read('a', 'echo', `when: "\${{ steps.nobody.ok }}"`)}`);

    expect(code).toBe(2);
    const [, line = '', carets = ''] = stderr.split('\n');
    expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('nobody');
  });
});

describe('a sensitive step', () => {
  it('is hidden everywhere, and readable by later steps', async () => {
    const { told, said, stdout, stderr, result, code } = await run(
      `
      - ${read('secret', 'printf "%s%s b" swordfish42 xyz; printf "%s%s" swordfish42 xyz >&2', 'sensitive: true')}
      - ${read('uses', 'printf "%s" "$1" | wc -c').replace('effect: read', 'effect: read, args: ["${{ steps.secret.data.stdout }}"]')}
      - { id: loop, uses: run.command, sensitive: true, each: "steps.secret.data.stdout.split(' ')", with: { command: 'echo "$1"', args: ["\${{ item }}"], effect: read } }
`.replaceAll('\\${{', '${{'),
      ['-l', 'here', '--debug'],
    );

    expect(told('secret')).toBe('ok ok');
    expect(said('uses').trim()).toBe('16');
    expect(
      result()
        .hosts[0]?.steps.filter(({ step }) => step === 'loop')
        .map(({ item }) => item),
    ).toEqual(['#1', '#2']);
    expect(code).toBe(0);
    const folder = join(project.state, 'opsctl/runs', result().run.id);
    const kept =
      readFileSync(join(folder, 'journal.ndjson'), 'utf8') + readFileSync(join(folder, 'result.json'), 'utf8');
    expect(stdout + stderr + kept).not.toContain('swordfish42xyz');
    expect(existsSync(join(folder, 'artefacts'))).toBe(false);
  });
});

describe('deadlines', () => {
  it('end the run: 124 when nothing was cut off, 3 when something was', async () => {
    const cut = await run(
      `
      - ${read('slow', 'sleep 30')}
      - ${read('next', 'echo', 'retry: { attempts: 1 }')}
      - ${read('last', 'echo', 'on-failure: stop')}
`,
      ['-l', 'here', '--timeout', '2s'],
    );
    expect(cut.told('slow')).toBe('unknown aborted');
    expect(['next', 'last'].map((step) => cut.told(step))).toEqual(['skipped stopped', 'skipped stopped']);
    expect(cut.result().run.stopped).toBe('deadline');
    expect(cut.code).toBe(3);

    const waits = await run(
      `
      - ${read('fine', 'echo 1')}
      - ${read('waits', 'exit 1', 'retry: { attempts: 100, every: 1s, until: "false" }')}
`,
      ['-l', 'here', '--timeout', '3s'],
    );
    expect(waits.told('fine')).toBe('ok ok');
    expect(waits.result().run.stopped).toBe('deadline');
    expect([1, 3]).toContain(waits.code);
    expect(waits.result().exit.reasons.map(({ reason }) => reason)).toContain('deadline');
  });
});

describeWith('a host out of reach', ['ssh-keygen'], () => {
  it('is still looked at from here', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(project.folder, 'key')]);
    project.write('far.yaml', 'hosts: { far: { address: 127.0.0.1, port: 1, user: nobody, identity: key } }\n');
    project.write(
      'far-book.yaml',
      `name: Far
steps:
  - ${read('login', 'echo 1')}
  - { id: look, uses: check.http, retry: { attempts: 2, every: 0.1s }, severity: high, controls: [C1], with: { url: "http://127.0.0.1:1/" } }
  - ${read('again', 'echo 1')}
`,
    );
    const ended = await project.run(['run', 'far-book.yaml', '-i', 'far.yaml', '-o', 'json']);
    const result = ended.json();

    expect(['login', 'look', 'again'].map((step) => stepOf(result, 'far', step).outcome)).toEqual([
      'unreachable',
      expect.stringMatching(/^(failed|unknown)$/),
      'unreachable',
    ]);
    expect(stepOf(result, 'far', 'look')).toMatchObject({ attempts: 2, severity: 'high', controls: ['C1'] });
    expect(stepOf(result, 'far', 'login')).toMatchObject({
      attempts: 0,
      summary: expect.stringContaining('127.0.0.1'),
    });
  });
});
