import { readdirSync, readFileSync } from 'node:fs';
import type { Target } from './transport.js';

/** Files that one host in flight holds open, at most, by transport. */
const filesOf: Readonly<Record<string, number>> = { ssh: 2, local: 8, openssh: 16 };
/** For all else that is opened on the way: modules, keys, journal, reports, name servers. */
const reserve = 16;

/**
 * How many hosts can be in flight with the files that this process may have open; undefined where the system
 * does not tell.
 */
export function hostsWithinOpenFiles(targets: readonly Target[]): { hosts: number; limit: number } | undefined {
  const limit = openFileLimit();
  if (limit === undefined) return undefined;
  const dearest = Math.max(1, ...targets.map(({ transport }) => filesOf[transport] ?? 2));
  return { hosts: Math.max(1, Math.floor((limit - openFiles() - reserve) / dearest)), limit };
}

function openFileLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 32;
  }
}
