import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where what is known across runs of one runbook is kept: `<state>/history/<id>`. The same path is the same runbook,
 * wherever it is started from.
 */
export function runbookHistory(state: string, runbook: { readonly name: string; readonly path: string }): string {
  return join(state, 'history', idOf(`${runbook.path}\0${runbook.name}`));
}

/** The same of a command line that stands for a runbook: it is known by its text. */
export function commandHistory(state: string, text: string): string {
  return join(state, 'history', `${prefix}${idOf(text)}`);
}

const prefix = 'command-';
/** A command line that was not used for so long is forgotten, and the oldest of more than that many. */
const keepFor = 400 * 86_400_000;
const most = 200;

/**
 * Forgets old command lines: nobody takes them out of a runbook.
 * @returns what went wrong, in words
 */
export function forgetCommands(state: string, now: Date): readonly string[] {
  const folder = join(state, 'history');
  try {
    const found = readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ path: join(folder, name), used: lastUse(join(folder, name, 'hosts')) }))
      .sort((a, b) => b.used - a.used);
    const old = found.filter(({ used }, index) => index >= most || used < now.getTime() - keepFor);
    for (const { path } of old) rmSync(path, { recursive: true, force: true });
    return [];
  } catch (error) {
    return [`what old command lines remembered is not removed: ${(error as Error).message}`];
  }
}

/** Each use writes a file anew in the folder. One that is not there yet is about to be. */
function lastUse(hosts: string): number {
  return statSync(hosts, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
