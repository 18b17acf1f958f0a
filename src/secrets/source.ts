import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { exitCode, type Place, UserError } from '../errors.js';
import { Secret } from './secret.js';
import { shortestSecret } from './shortest.js';
import { splitCommand } from './split-command.js';

/** `{ secret: "env:DB_PW" }` as documents write it. */
export interface SecretReference {
  readonly secret: string;
}

export interface SecretContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes a variable out of the environment once it was read, so that no child and no report sees it. */
  readonly removeVariable: (name: string) => void;
  /** Relative paths of `file:` start here. */
  readonly cwd: string;
  /** The user that opsctl runs as; undefined where the system has none. */
  readonly uid: number | undefined;
  /** Where the reference stands, for messages. */
  readonly place?: Place;
  /** The output of the step is dropped as a whole, so that a short secret cannot show. */
  readonly sensitive?: boolean;
}

const commandTimeout = 30_000;
const largestSecret = 64 * 1024;

/**
 * Reads a secret from where the reference points: `env:NAME`, `file:PATH` or `exec:COMMAND ARGUMENTS`.
 * Throws UserError; the text of an error never holds a value.
 */
export async function resolveSecret(reference: SecretReference, context: SecretContext): Promise<Secret> {
  const { source, target } = parseReference(reference.secret, context);
  const value = await readers[source](target, context);
  if (value === '') throw problem('E_SECRET_MISSING', `the secret ${named(reference)} is empty`, undefined, context);
  if (value.length < shortestSecret && !context.sensitive) {
    const what = `the secret ${named(reference)} has fewer than ${shortestSecret} characters and cannot be hidden in output`;
    throw problem('E_SECRET_SHORT', what, 'use a longer one, or mark the step `sensitive: true`', context);
  }
  return new Secret(reference.secret.startsWith('exec:') ? 'exec' : reference.secret, value);
}

type Source = 'env' | 'file' | 'exec';
type Reader = (target: string, context: SecretContext) => Promise<string>;
const readers: Readonly<Record<Source, Reader>> = { env: readVariable, file: readSecretFile, exec: runCommand };

function parseReference(text: string, context: Pick<SecretContext, 'place'>): { source: Source; target: string } {
  const match = /^(env|file|exec):(.+)$/s.exec(text);
  if (match) return { source: match[1] as Source, target: (match[2] as string).trim() };
  // The text may be the secret itself, so it is not repeated.
  const hint = 'write `env:NAME`, `file:PATH` or `exec:COMMAND`';
  throw problem('E_SECRET_SOURCE', '`secret` does not say where the value comes from', hint, context);
}

async function readVariable(name: string, context: SecretContext): Promise<string> {
  const value = context.env[name];
  if (value === undefined || value === '') {
    const hint = `export ${name} before you start opsctl`;
    throw problem('E_SECRET_MISSING', `the environment variable ${name} is not set`, hint, context);
  }
  context.removeVariable(name);
  return value;
}

async function readSecretFile(path: string, context: SecretContext): Promise<string> {
  const file = resolve(context.cwd, path);
  // O_NOFOLLOW, then questions to the open file: a check by name could be answered by another file.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error) => {
    throw openProblem(path, error as NodeJS.ErrnoException, context);
  });
  try {
    const status = await handle.stat();
    if (!status.isFile())
      throw problem('E_SECRET_MISSING', `the secret file ${path} is not a file`, undefined, context);
    const unsafe = unsafeFile(status, context.uid);
    if (unsafe) throw problem('E_SECRET_PERMS', `the secret file ${path} ${unsafe.what}`, unsafe.hint(path), context);
    if (status.size > largestSecret) {
      throw problem('E_SECRET_MISSING', `the secret file ${path} is larger than 64 KiB`, undefined, context);
    }
    return withoutLineEnd(await handle.readFile('utf8'));
  } finally {
    await handle.close();
  }
}

function unsafeFile({ mode, uid }: { mode: number; uid: number }, user: number | undefined) {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0) {
    return { what: `belongs to user id ${uid}`, hint: (path: string) => `make it yours: chown ${user} ${path}` };
  }
  if ((mode & 0o077) === 0) return undefined;
  const digits = (mode & 0o777).toString(8).padStart(4, '0');
  return { what: `has mode ${digits}; others may read it`, hint: (path: string) => `run: chmod 600 ${path}` };
}

function openProblem(path: string, error: NodeJS.ErrnoException, context: SecretContext): Error {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return problem('E_SECRET_MISSING', `the secret file ${path} does not exist`, undefined, context);
  }
  if (error.code === 'ELOOP') {
    const hint = 'name the file that it points to';
    return problem('E_SECRET_PERMS', `the secret file ${path} is a symbolic link`, hint, context);
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return problem('E_SECRET_PERMS', `the secret file ${path} cannot be read`, 'check who owns it', context);
  }
  return error;
}

async function runCommand(command: string, context: SecretContext): Promise<string> {
  const words = splitCommand(command);
  const [program, ...args] = words ?? [];
  if (program === undefined) throw problem('E_SECRET_SOURCE', 'a quote in `exec:` has no end', undefined, context);
  const env = Object.fromEntries(Object.entries(context.env).filter(([, value]) => value !== undefined));
  const options = {
    cwd: context.cwd,
    env,
    timeout: commandTimeout,
    maxBuffer: largestSecret,
    encoding: 'utf8',
  } as const;
  return new Promise((resolveValue, reject) => {
    const child = execFile(program, args, { ...options, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (!error) return resolveValue(withoutLineEnd(stdout));
      // The message of `error` repeats the whole command line and what it printed: ours names the program only.
      const hint = 'run it by hand to see why';
      reject(problem('E_SECRET_MISSING', `the command ${program} for a secret ${failure(error)}`, hint, context));
    });
    child.stdin?.end();
  });
}

function failure(error: Error & { code?: unknown; killed?: boolean | undefined; signal?: unknown }): string {
  if (error.code === 'ENOENT') return 'does not exist';
  if (error.code === 'EACCES') return 'may not be run';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'prints more than 64 KiB';
  if (error.killed) return `takes longer than ${commandTimeout / 1000} s`;
  return typeof error.code === 'number' ? `fails with status ${error.code}` : 'is killed';
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function named({ secret }: SecretReference): string {
  return secret.startsWith('exec:') ? 'of a command' : secret;
}

function problem(
  code: `E_${string}`,
  what: string,
  hint: string | undefined,
  { place }: Pick<SecretContext, 'place'>,
): UserError {
  const exit = code === 'E_SECRET_PERMS' ? exitCode.refused : exitCode.usage;
  return new UserError({ code, what, ...(hint ? { hint } : {}), ...(place ? { place } : {}) }, exit);
}
