import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where opsctl keeps its runs: `$XDG_STATE_HOME/opsctl`, or `~/.local/state/opsctl`. Mode 0700. */
export function stateFolder(env: Readonly<NodeJS.ProcessEnv>): string {
  const base = env.XDG_STATE_HOME;
  // The specification says to ignore a relative path: it would depend on the working folder.
  if (base && isAbsolute(base)) return join(base, 'opsctl');
  return join(env.HOME && isAbsolute(env.HOME) ? env.HOME : homedir(), '.local', 'state', 'opsctl');
}

/** The folder of one run; it holds `journal.ndjson`, `result.json` and raw output. */
export function runFolder(state: string, runId: string): string {
  return join(state, 'runs', runId);
}
