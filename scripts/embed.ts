import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { transform } from 'esbuild';
import type { Plugin } from 'rolldown';
import { readShell } from '../src/steps/read-shell.js';

/**
 * Resolves what sources say with `import.meta.url`, for it means another folder in dist/: puts the text of a shell
 * file where `script('./x.sh', import.meta.url)` stands, and the file of a package on demand where
 * `createRequire(import.meta.url)('package')` stands. Any other use would not find its file, so it is refused;
 * main.ts alone sits as deep in dist/ as in src/ and may find the package's own files.
 */
export function embed(root: string, fileOf: (packageName: string) => string | undefined): Plugin {
  return {
    name: 'embed',
    async load(path) {
      if (!path.startsWith(join(root, 'src/')) || !path.endsWith('.ts') || path === join(root, 'src/main.ts'))
        return null;
      const source = await readFile(path, 'utf8');
      if (!source.includes('import.meta')) return null;
      // Takes the comments out too: an example in one is no call.
      let { code } = await transform(source, { loader: 'ts', target: 'node20', legalComments: 'none' });
      for (const [call, file] of code.matchAll(scriptCall)) {
        const shellFile = join(dirname(path), file as string);
        code = code.replace(call, () => JSON.stringify({ name: basename(shellFile), text: readShell(shellFile) }));
      }
      const left = code.replaceAll(requireCall, '');
      if (left.includes('import.meta')) {
        const where = relative(root, path);
        return this.error(`${where}: import.meta means another folder in dist/; pass the path in from main.ts`);
      }
      code = code.replaceAll(requireCall, (_, name: string) => {
        const file = fileOf(name);
        if (file === undefined) return this.error(`${relative(root, path)}: ${name} is no package on demand`);
        return `createRequire(import.meta.url)("./${file}")`;
      });
      return { code, moduleType: 'js' };
    },
  };
}

const scriptCall = /\bscript\(\s*"(\.\/[^"]+\.sh)",\s*import\.meta\.url\s*\)/g;
const requireCall = /\bcreateRequire\(import\.meta\.url\)\("([^"]+)"\)/g;
