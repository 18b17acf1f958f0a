import { Command } from 'commander';
import { expect, it } from 'vitest';
import type { CommandContext } from '../commands/command.js';
import { define, runOptions } from '../commands/run.js';
import type { RunOptions } from './options.js';
import { runArguments } from './run-arguments.js';

/** What the real command makes of the words. */
function understood(words: readonly string[]): { readonly options: RunOptions; readonly flags: readonly string[] } {
  const program = new Command().exitOverride();
  const command = program.command('run');
  define(command, {} as CommandContext);
  let options: RunOptions | undefined;
  command.action((runbook, flags) => {
    options = runOptions(runbook, flags);
  });
  program.parse(['node', 'opsctl', ...words]);
  if (!options) throw new Error('not called');
  return { options, flags: command.options.map(({ long }) => long ?? '') };
}

const full: RunOptions & { runbook: string } = {
  runbook: './-odd name.yaml',
  mode: 'dry-run',
  yes: true,
  quiet: true,
  verbose: true,
  trust: 'accept-new',
  project: '/srv/ops',
  inventory: ['/srv/hosts.yaml', 'web1,web2,'],
  limit: '-all,!db=1',
  user: 'ops',
  transport: 'openssh',
  params: { text: '-a=b "c" $d', empty: '' },
  tags: ['a', 'b'],
  skipTags: ['c'],
  waivers: '/srv/waivers.yaml',
  failOn: 'warning',
  concurrency: 7,
  timeout: '90s',
  outputs: ['json=/tmp/a=b.json', 'table'],
};

it('asks for the run that was asked for', () => {
  expect(understood(runArguments(full)).options).toEqual(full);
});

it('asks for no more than that', () => {
  const { options } = understood(runArguments({ runbook: 'x.yaml', mode: 'run' }));

  expect(options).toEqual({ runbook: 'x.yaml', mode: 'run', params: {}, yes: false, quiet: false, verbose: false });
});

it('knows every flag of `opsctl run`', () => {
  const words = runArguments(full).flatMap((word) => /^--[\w-]+/.exec(word)?.[0] ?? []);

  expect([...new Set(words)].sort()).toEqual([...understood(runArguments(full)).flags].sort());
});
