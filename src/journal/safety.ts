import { statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folders of the state that somebody else may write to: who does can swap runs, and what they are compared with. Root
 * may, and so may who became root by sudo and has kept a home folder.
 */
export function foldersOfOthers(
  state: string,
  uid: number | undefined,
  env: Readonly<NodeJS.ProcessEnv>,
): readonly string[] {
  if (uid === undefined) return [];
  const trusted = [uid, 0, ...(uid === 0 && env.SUDO_UID ? [Number(env.SUDO_UID)] : [])];
  return [state, join(state, 'runs'), join(state, 'history')].filter((folder) => {
    const found = statSync(folder, { throwIfNoEntry: false });
    return found && (!trusted.includes(found.uid) || (found.mode & 0o022) !== 0);
  });
}
