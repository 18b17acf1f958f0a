import { stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import type { Draft } from '../draft.js';
import { addHostVars, hasHostVars, readAnsibleList } from './ansible-list.js';
import type { InventoryContext, SourceFile, SourceKind } from './source-kind.js';

/** A program that prints Ansible's `--list` JSON, and `--host NAME` where the list leaves the variables out. */
export const executableSource: SourceKind = {
  name: 'executable',
  varsFolders: true,
  // A data file that is executable by accident (a copy from Windows, a FAT disk) is still data.
  reads: (file) => startsProgram(file.bytes),
  async load(file, draft, context) {
    await refuseUnsafe(file);
    const list = await runJson(file, ['--list'], context);
    const place = () => ({ file: `${file.name} --list` });
    const hosts = readAnsibleList(list, place, draft);
    if (!hasHostVars(list)) await askForEach(file, hosts, draft, context);
  },
};

const [listSeconds, hostsSeconds, atOnce] = [30, 120, 4];

async function askForEach(
  file: SourceFile,
  hosts: readonly string[],
  draft: Draft,
  context: InventoryContext,
): Promise<void> {
  const deadline = AbortSignal.timeout(hostsSeconds * 1000);
  const signal = context.signal ? AbortSignal.any([context.signal, deadline]) : deadline;
  const queue = hosts.values();
  const answers = new Map<string, unknown>();
  const worker = async () => {
    for (const host of queue) answers.set(host, await runJson(file, ['--host', host], { ...context, signal }));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const host of hosts)
    addHostVars(host, answers.get(host), [], () => ({ file: `${file.name} --host ${host}` }), draft);
}

async function runJson(file: SourceFile, args: readonly string[], context: InventoryContext): Promise<unknown> {
  const { runProgram } = await import('./run-program.js');
  const command = [file.name, ...args].join(' ');
  const refuse = (what: string, hint: string, cause?: unknown) =>
    new UserError({ code: 'E_INV_PROGRAM', what, hint, place: { file: command } }, undefined, { cause });
  const result = await runProgram(file.path, args, { ...context, seconds: listSeconds });
  if (result.kind === 'stopped') throw refuse('the inventory program was stopped', 'run it again');
  if (result.kind === 'timeout')
    throw refuse(`no answer in ${listSeconds} s`, 'make it faster, or save its output and name that file');
  if (result.kind === 'failed') throw refuse(result.reason, `run it by hand: ${command}`);
  const text = result.stdout.trim();
  if (text === '' && args[0] === '--host') return {};
  try {
    return refuseForbidden(JSON.parse(text));
  } catch (cause) {
    throw refuse('printed what is not JSON', `it must print what ansible-inventory ${args[0]} prints`, cause);
  }
}

/** JSON.parse makes `__proto__` an ordinary key, which turns into a prototype when values are copied. */
function refuseForbidden(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new Error('the key __proto__ is not allowed');
    refuseForbidden((value as Record<string, unknown>)[key]);
  }
  return value;
}

/** What others may rewrite must not be run. */
async function refuseUnsafe(file: SourceFile): Promise<void> {
  const place = { file: file.name };
  if (!file.executable) {
    const hint = `chmod +x ${file.name}`;
    throw new UserError({ code: 'E_INV_PROGRAM', what: 'the inventory program is not executable', hint, place });
  }
  const { mode } = await stat(file.path);
  if ((mode & 0o002) === 0) return;
  const hint = `chmod o-w ${file.name}`;
  throw new UserError({ code: 'E_INV_PROGRAM', what: 'anybody may rewrite the inventory program', hint, place });
}

function startsProgram(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 4).toString('latin1');
  return start.startsWith('#!') || start === '\x7fELF';
}
