import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { makeProject, stepOf } from '../support/opsctl.js';

const project = makeProject({
  'hosts.yaml': `hosts:
  here: { connect: { transport: local } }
  there: { connect: { transport: local } }
`,
});
afterAll(() => project.remove());

const step = (id: string, command: string, more = '', effect = 'read') =>
  `{ id: ${id}, uses: run.command, with: { command: ${JSON.stringify(command)}, effect: ${effect} }${more && `, ${more}`} }`;
/** Ends as it is told: ok, warning, failed, unknown or skipped, without reading another step. */
const good = (id: string, more = '') => step(id, 'true', more);
const bad = (id: string, more = '') => step(id, 'false', more);
const unclear = (id: string, more = '') =>
  `{ id: ${id}, uses: check.command, with: { command: /no/such/plugin }${more && `, ${more}`} }`;
/** Unknown as long as the file is not there. */
const unclearUntil = (file: string) =>
  `{ id: late, uses: check.command, with: { command: "test -e ${file} || exit 127" } }`;
const warned = (id: string, more = '') =>
  `{ id: ${id}, uses: check.uptime, with: { warning: "1000000d:" }${more && `, ${more}`} }`;
const left = (id: string) => good(id, 'when: false');

async function run(steps: string, args: readonly string[] = []) {
  project.write('book.yaml', `name: Book\nsteps:\n${steps.replace(/^ {6}/gm, '  ')}\n`);
  const command = ['run', 'book.yaml', '-i', 'hosts.yaml', '-l', 'here', '-y', '-o', 'json', ...args];
  let ended = await project.run(command);
  // Somebody else may be changing this machine.
  for (let tries = 0; tries < 30 && ended.stdout.includes('"locked"'); tries += 1) {
    await sleep(500);
    ended = await project.run(command);
  }
  if (ended.stdout === '') throw new Error(ended.stderr);
  const result = ended.json();
  return {
    code: ended.code,
    result,
    told: (key: string) => {
      const { outcome, reason, summary } = stepOf(result, 'here', key);
      return `${outcome} ${reason}: ${summary}`;
    },
    covered: (key: string) => stepOf(result, 'here', key).covered === true,
    data: (key: string) => stepOf(result, 'here', key).data,
  };
}

const group = (require: string, members: readonly string[], more = '') =>
  `      - { id: g, name: Group, require: ${require}, steps: [${members.join(', ')}]${more && `, ${more}`} }\n`;

async function verdict(require: string, members: readonly string[]): Promise<string> {
  const { told, code } = await run(group(require, members));
  return `${told('g')} (exit ${code})`;
}

describe('a group with require', () => {
  it('is ok when as many of its steps are, and the others do not count', async () => {
    const { told, code, covered, result, data } = await run(
      `${group('2', [good('a'), bad('b'), good('c')])}      - ${step('after', 'echo ${{ steps.g.outcome }} ${{ steps.g.data.ok }} of ${{ steps.g.data.total }}')}\n`,
    );

    expect(told('g')).toBe('ok ok: 2 of 3 ok, 2 needed; failed: run.command false');
    expect([covered('a'), covered('b'), covered('g')]).toEqual([false, true, false]);
    expect(result.hosts[0]?.outcome).toBe('ok');
    expect(result.hosts[0]?.steps.map((each) => each.step)).toEqual(['g', 'a', 'b', 'c', 'after']);
    expect((data('after') as { stdout: string }).stdout).toBe('ok 2 of 3\n');
    expect(code).toBe(0);
  });

  it('decides in three-valued logic', async () => {
    expect(await verdict('any', [bad('a'), good('b')])).toBe(
      'ok ok: 1 of 2 ok, 1 needed; failed: run.command false (exit 0)',
    );
    expect(await verdict('any', [unclear('a'), good('b')])).toMatch(
      /^ok ok: 1 of 2 ok, 1 needed; unknown: .*\(exit 0\)$/,
    );
    expect(await verdict('any', [bad('a'), unclear('b')])).toMatch(/^unknown members-unknown: 0 of 2 .*\(exit 3\)$/);
    expect(await verdict('2', [bad('a'), bad('b'), good('c')])).toMatch(
      /^failed too-few-ok: 1 of 3 ok, 2 needed.*\(exit 1\)$/,
    );
    expect(await verdict('all', [bad('a'), good('b')])).toMatch(/^failed too-few-ok: 1 of 2 ok, 2 needed.*\(exit 1\)$/);
    expect(await verdict('all', [warned('a'), good('b')])).toMatch(
      /^warning warning: 2 of 2 ok, 2 needed; warning: .*\(exit 0\)$/,
    );
    expect(await verdict('any', [warned('a'), good('b')])).toMatch(/^ok ok: 2 of 2 ok, 1 needed.*\(exit 0\)$/);
  });

  it('does not count what is skipped, and is never ok for nothing', async () => {
    expect(await verdict('all', [left('a'), good('b')])).toBe('ok ok: 1 of 1 ok, 1 needed (exit 0)');
    expect(await verdict('any', [left('a'), left('b')])).toBe(
      'skipped condition: not run: its condition does not hold (exit 3)',
    );
  });

  it('counts each item of a loop, and a group inside as one', async () => {
    const loop =
      '{ id: each, uses: run.command, each: [a, b, c], with: { command: "[ \\"$1\\" != b ]", args: ["${{ item }}"], effect: read } }';
    const inner = `{ id: inner, require: any, steps: [${good('x')}, ${bad('y')}] }`;
    const { told, code, covered } = await run(group('4', [loop, inner]));

    expect(told('g')).toMatch(/^failed too-few-ok: 3 of 4 ok, 4 needed; failed: run.command .* \[b\]$/);
    expect(told('inner')).toBe('ok ok: 1 of 2 ok, 1 needed; failed: run.command false');
    expect(covered('y')).toBe(true);
    expect(code).toBe(1);
  });

  it('covers also what a group inside that fails is made of', async () => {
    const inner = `{ id: inner, require: all, steps: [${good('x')}, ${bad('y')}] }`;
    const { told, code, covered } = await run(group('any', [good('a'), inner]));

    expect(told('g')).toBe('ok ok: 1 of 2 ok, 1 needed; failed: inner');
    expect([covered('inner'), covered('y')]).toEqual([true, true]);
    expect(code).toBe(0);
  });

  it('waits for the items of a loop that only an earlier step knows', async () => {
    const list = step('list', 'printf a,b');
    const loop = `{ id: each, uses: run.command, each: "steps.list.data.stdout.split(',')", with: { command: "[ \\"$1\\" = b ]", args: ["\${{ item }}"], effect: read } }`;
    const { told, code } = await run(`      - ${list}\n${group('any', [loop, bad('z')])}`);

    expect(told('g')).toMatch(/^ok ok: 1 of 3 ok, 1 needed; failed: run.command .* \[a\], run.command false$/);
    expect(code).toBe(0);
  });

  it('is not judged where tags leave out steps that would decide', async () => {
    const members = [good('a', 'tags: [fast]'), good('b')];

    const any = await run(group('any', members), ['--tags', 'fast']);
    expect(any.told('g')).toBe('ok ok: 1 of 2 ok, 1 needed');
    const all = await run(group('all', members), ['--tags', 'fast']);
    expect(all.told('g')).toBe('skipped not-chosen: 1 of 2 ok, 2 needed; 1 not chosen');
    expect(all.code).toBe(0);
  });

  it('goes on after a change that fails, stops what comes after when it fails itself, and says nothing in a dry run', async () => {
    const touch = step('work', `touch ${join(project.folder, 'done')}`, '', 'change');
    const members = [step('a', 'false', '', 'change'), touch];
    const after = `      - ${good('after')}\n`;

    const dry = await run(group('any', members) + after, ['--dry-run']);
    expect(dry.told('g')).toMatch(/^skipped dry-run/);
    expect(existsSync(join(project.folder, 'done'))).toBe(false);
    const any = await run(group('any', members) + after);
    expect(any.told('g')).toMatch(/^ok ok: 1 of 2 ok, 1 needed/);
    expect(any.told('after')).toMatch(/^ok/);
    expect(any.code).toBe(0);
    const all = await run(group('all', members) + after);
    expect(all.told('after')).toMatch(/^skipped earlier-failure/);
    expect(all.code).toBe(1);
  });

  it('is rescued like any group when the requirement is not met, and only then', async () => {
    const members = [bad('a'), good('b')];

    const met = await run(group('any', members, `rescue: [${good('help')}]`));
    expect(met.told('help')).toMatch(/^skipped not-needed/);
    expect(met.code).toBe(0);
    const missed = await run(group('all', members, `rescue: [${good('help')}]`));
    expect(missed.told('help')).toMatch(/^ok/);
    expect(stepOf(missed.result, 'here', 'g').rescued).toBe(true);
    expect(missed.code).toBe(0);
  });

  it('is judged anew when the run is resumed, with what is known from before', async () => {
    const flag = join(project.folder, 'flag');
    await run(group('2', [good('a'), bad('b'), unclearUntil(flag)]));
    writeFileSync(flag, '');

    const resumed = await project.run(['resume', 'last', '-o', 'json']);

    const steps = resumed.json();
    expect(stepOf(steps, 'here', 'g')).toMatchObject({ outcome: 'ok', summary: expect.stringContaining('2 of 3 ok') });
    expect(stepOf(steps, 'here', 'b')).toMatchObject({ outcome: 'failed', covered: true });
    expect(resumed.code).toBe(0);
  });

  it('costs no round trip', async () => {
    project.write(
      'book.yaml',
      `name: Book\nsteps:\n  - ${good('first')}\n  - { id: g, require: any, steps: [${good('a')}, { require: all, steps: [${bad('b')}] }] }\n  - { id: load, uses: check.uptime, needs: g }\n`,
    );

    const { stdout } = await project.run(['plan', 'book.yaml', '-i', 'hosts.yaml', '-l', 'here']);

    expect(stdout.match(/round \d+/g)).toEqual(['round 1']);
    expect((await project.run(['run', 'book.yaml', '-i', 'hosts.yaml', '-l', 'here'])).code).toBe(0);
  });
});

describe('expect: fail', () => {
  it('turns ok and failed around, says so, and leaves the rest as it is', async () => {
    const { told, code } = await run(
      `
      - ${bad('closed', 'expect: fail')}
      - ${good('open', 'expect: fail')}
      - ${warned('half', 'expect: fail')}
      - ${unclear('unclear', 'expect: fail')}
      - ${good('off', 'expect: fail, when: false')}
`,
    );

    expect(told('closed')).toBe('ok ok: as expected: exit status 1');
    expect(told('open')).toBe('failed expected-failure: expected to fail, but: exit status 0');
    expect(told('half')).toMatch(/^warning \S+: expected to fail, but only a warning: /);
    expect(told('unclear')).toMatch(/^unknown /);
    expect(told('off')).toMatch(/^skipped condition/);
    expect(code).toBe(3);
  });

  it('tries again until the step fails', async () => {
    const file = join(project.folder, 'tries');
    const fails = step('ends', `echo x >>${file}; [ $(wc -l <${file}) -lt 3 ]`, 'expect: fail, retry: { every: 10ms }')
      .replace('run.command', 'run.script')
      .replace('command:', 'script:');

    const { result, told } = await run(`      - ${fails}\n`);

    expect(told('ends')).toMatch(/^ok ok: as expected: /);
    expect(stepOf(result, 'here', 'ends').attempts).toBe(3);
  });
});

describe('needs', () => {
  it('leaves a step unjudged where one that it needs did not succeed, and passes that on', async () => {
    const { told, code, result } = await run(
      `
      - ${bad('base')}
      - { id: probe, uses: check.uptime, needs: base }
      - { id: more, uses: check.uptime, needs: [probe] }
      - ${good('command', 'needs: base')}
      - ${step('change', `touch ${join(project.folder, 'never')}`, 'needs: [base], on-failure: continue', 'change')}
      - { id: free, uses: check.uptime }
`,
    );

    expect(told('probe')).toBe('skipped blocked: not judged: needs `base`, which failed');
    expect(stepOf(result, 'here', 'probe').metrics).toEqual([]);
    expect(told('more')).toBe('skipped blocked: not judged: needs `probe`, which was not judged');
    expect(told('command')).toMatch(/^skipped blocked/);
    expect(told('change')).toMatch(/^skipped blocked/);
    expect(existsSync(join(project.folder, 'never'))).toBe(false);
    expect(told('free')).toMatch(/^(ok|warning)/);
    expect(code).toBe(1);
  });

  it('is met by what succeeded, and by what does not apply', async () => {
    const { told, code } = await run(
      `
      - ${good('base')}
      - ${warned('half')}
      - ${left('absent')}
      - ${good('after', 'needs: [base, half, absent]')}
      - { needs: after, steps: [${good('inside')}] }
`,
    );

    expect([told('after'), told('inside')]).toEqual(['ok ok: exit status 0', 'ok ok: exit status 0']);
    expect(code).toBe(0);
  });

  it('holds for a whole group, and for what a loop or a group gives', async () => {
    const loop =
      '{ id: each, uses: run.command, each: [a, b], with: { command: "[ \\"$1\\" = a ]", args: ["${{ item }}"], effect: read } }';
    const { told } = await run(
      `
      - ${loop}
${group('all', [bad('m'), good('n')])}
      - { needs: each, steps: [${good('x')}, ${good('y')}] }
      - { id: z, uses: check.uptime, needs: g }
      - { id: fine, uses: check.uptime, needs: n }
`,
    );

    expect(told('x')).toBe('skipped blocked: not judged: needs `each`, which failed');
    expect(told('y')).toMatch(/^skipped blocked/);
    expect(told('z')).toBe('skipped blocked: not judged: needs `g`, which failed');
    expect(told('fine')).toMatch(/^(ok|warning)/);
  });

  it('says in a dry run that it waits for a change', async () => {
    const { told, code } = await run(
      `
      - ${step('work', 'true', '', 'change')}
      - { id: look, uses: check.uptime, needs: work }
      - ${good('other')}
`,
      ['--dry-run'],
    );

    expect(told('look')).toBe('skipped dry-run: not judged: needs `work`, which a dry run leaves out');
    expect(code).toBe(0);
  });

  it('refuses ids that are unknown, later or its own, before any contact', async () => {
    project.write(
      'book.yaml',
      `name: Book\nsteps:\n  - { id: base, uses: check.uptime }\n  - { id: me, uses: check.uptime, needs: [bsae, me, last] }\n  - { id: last, uses: check.uptime }\n  - { require: 3, steps: [{ uses: check.uptime }, { uses: check.uptime }] }\n  - { uses: run.command, expect: fail, with: { command: "true", effect: change } }\n`,
    );

    const { code, stderr } = await project.run(['run', 'book.yaml', '-i', 'hosts.yaml', '-y']);

    expect(stderr.split('\n').filter((line) => line.startsWith('opsctl:'))).toEqual([
      'opsctl: E_STEP_ID book.yaml:4:43 no earlier step has the id `bsae`; did you mean `base`?',
      'opsctl: E_STEP_LATER book.yaml:4:49 step `me` needs itself; name earlier steps',
      'opsctl: E_STEP_LATER book.yaml:4:53 step `last` comes later; move it up: only earlier steps can be needed',
      'opsctl: E_REQUIRE book.yaml:6:16 3 of 2 steps cannot be ok; write a number up to 2, or `all`',
      'opsctl: E_EXPECT_CHANGE book.yaml:7:26 a change that is expected to fail cannot be told from one that did; remove `expect`, and check the effect with a reading step',
    ]);
    expect(code).toBe(2);
  });
});
