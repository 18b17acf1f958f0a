import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { exitCode, UserError } from '../errors.js';
import { refuseHostName, refuseUserName } from '../inventory/names.js';
import type { CommandContext } from './command.js';
import { append } from './run-flags.js';

interface InitFlags {
  readonly host?: string[];
  readonly user?: string;
  readonly sudo?: boolean;
  readonly force?: boolean;
}

interface InitAnswers {
  readonly hosts: readonly string[];
  readonly user: string;
  readonly sudo: boolean;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[folder]', 'where to put the files', '.')
    .option('--host <name>', 'a host to begin with, as ssh knows it; several times; asked for when absent', append)
    .option('-u, --user <name>', 'login name')
    .option('--sudo', 'become root through sudo')
    .option('--force', 'replace files that exist')
    .action(async (folder: string, flags: InitFlags) => {
      await runInit(folder, flags, context);
    });
}

async function runInit(folder: string, flags: InitFlags, context: CommandContext): Promise<void> {
  const answers = await ask(flags, context);
  const root = resolve(context.cwd, folder);
  const files = initFiles(answers);
  const existing = Object.keys(files).filter((name) => existsSync(join(root, name)));
  if (existing.length > 0 && !flags.force) {
    const what = `${existing.join(', ')} ${existing.length === 1 ? 'exists' : 'exist'} already`;
    throw new UserError({ code: 'E_EXISTS', what, hint: 'choose another folder, or pass `--force`' });
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text, { flag: flags.force ? 'w' : 'wx' });
  }
  const inFolder = folder === '.' ? '' : `cd ${folder} && `;
  const next = [
    ...(answers.hosts.length > 0
      ? [
          `${inFolder}opsctl trust scan ${answers.hosts.slice(0, 3).join(' ')} >> known_hosts   # compare the fingerprints first`,
        ]
      : []),
    `${inFolder}opsctl run runbooks/health.yaml`,
  ];
  await context.terminal.out(
    `wrote ${Object.keys(files).join(', ')}\nnext:\n${next.map((line) => `  ${line}\n`).join('')}`,
  );
}

async function ask(flags: InitFlags, { terminal, user, signal }: CommandContext): Promise<InitAnswers> {
  const given = { user: flags.user ?? user.name, sudo: flags.sudo ?? false };
  if (flags.host !== undefined) return checked({ ...given, hosts: flags.host });
  if (!terminal.stdinIsTty || !terminal.stderrIsTty) {
    throw new UserError(
      {
        code: 'E_NO_TTY',
        what: 'there is no terminal to ask on',
        hint: 'pass `--host NAME`, several times if need be',
      },
      exitCode.refused,
    );
  }
  const hosts = (await terminal.ask('hosts, separated by spaces (empty: only this machine)', undefined, signal))
    .split(/[\s,]+/)
    .filter((name) => name !== '');
  if (hosts.length === 0) return { ...given, hosts };
  const name = await terminal.ask('login name', given.user, signal);
  const sudo = /^y/i.test(await terminal.ask('become root through sudo? (y/n)', flags.sudo ? 'y' : 'n', signal));
  return checked({ hosts, user: name, sudo });
}

function checked(answers: InitAnswers): InitAnswers {
  const problems = [...answers.hosts.map((host) => refuseHostName(host, 'host')), refuseUserName(answers.user)].filter(
    (problem) => problem !== undefined,
  );
  if (problems.length > 0) throw new UserError(problems);
  return answers;
}

/** The files of a new project, by name. */
export function initFiles({ hosts, user, sudo }: InitAnswers): Record<string, string> {
  const inventory =
    hosts.length === 0
      ? 'hosts:\n  local: { transport: local }\n'
      : `defaults: { user: ${JSON.stringify(user)}${sudo ? ', sudo: true' : ''} }\ngroups:\n  servers:\n    hosts: ${JSON.stringify(hosts)}\n`;
  return {
    'opsctl.yaml':
      '# Defaults of every opsctl command in this folder.\ninventory: inventory.yaml\nknown_hosts: known_hosts\n',
    'inventory.yaml': `# Hosts and groups. \`opsctl inventory list\` shows what opsctl makes of it.\n${inventory}`,
    known_hosts: '',
    'runbooks/health.yaml': healthRunbook,
  };
}

const healthRunbook = `name: Health
description: Is every server well?
steps:
  - uses: check.load
  - uses: check.memory
  - uses: check.disk
  - uses: check.systemd
  # More kinds: opsctl steps. What one takes: opsctl steps check.service
  # - uses: check.service
  #   with: { name: ssh }
`;
