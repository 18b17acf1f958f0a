import { constants } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Problem, UserError } from '../errors.js';

/**
 * Makes sure that a report can be written, before any host is contacted. A symbolic link is refused: whoever made
 * it would choose which file a privileged run replaces.
 */
export async function checkOutputPath(file: string, cwd: string): Promise<void> {
  const path = resolve(cwd, file);
  const folder = dirname(path);
  const refuse = (code: Problem['code'], what: string, hint: string): never => {
    throw new UserError({ code, what, hint, place: { file } });
  };
  const parent = await stat(folder).catch(() => undefined);
  if (!parent) return refuse('E_REPORT_DIR', `the folder ${folder} does not exist`, `create it: mkdir -p ${folder}`);
  if (!parent.isDirectory()) return refuse('E_REPORT_DIR', `${folder} is no folder`, 'choose another file');
  await access(folder, constants.W_OK | constants.X_OK).catch(() =>
    refuse('E_REPORT_DIR', `the folder ${folder} cannot be written to`, 'choose another folder'),
  );
  const existing = await lstat(path).catch(() => undefined);
  if (existing?.isSymbolicLink())
    return refuse('E_PATH_SYMLINK', 'the report would go through a symbolic link', 'remove it, or name its target');
  if (existing && !existing.isFile())
    return refuse('E_NOT_REGULAR', 'the report would replace something that is no regular file', 'choose another file');
}

/** The same for several reports, each with a file of its own however it is spelt: one would replace the other. */
export async function checkOutputPaths(files: readonly string[], cwd: string): Promise<void> {
  const places = new Set<string>();
  for (const file of files) {
    await checkOutputPath(file, cwd);
    const path = resolve(cwd, file);
    const place = join(await realpath(dirname(path)), basename(path));
    if (places.has(place))
      throw new UserError({
        code: 'E_OUTPUT_TWICE',
        what: `two reports would be written to ${place}`,
        hint: 'choose another file for one of them',
      });
    places.add(place);
  }
}
