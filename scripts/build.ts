/**
 * `npm run build`: schemas and validators, then src/main.ts and all that it needs in dist/, so that the package
 * has no runtime dependency.
 *
 * Chunks carry a hash of their content; they are written first and main.js is renamed into place last. A run that
 * is under way, and another build at the same time, therefore always find every file that their main.js names.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin, transform } from 'esbuild';
import { compactShell } from '../src/steps/compact-shell.js';
import { thirdPartyLicenses } from './licenses.js';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Built {
  readonly files: readonly string[];
  readonly bytes: number;
  readonly metafile: Metafile;
}

export async function bundle(out = join(root, 'dist')): Promise<Built> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outdir: out,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    splitting: true,
    platform: 'node',
    target: 'node20',
    chunkNames: '[name]-[hash]',
    // Names stay as written: a stack in a bug report must mean something.
    minifyWhitespace: true,
    lineLimit: 160,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    // ssh2 asks for its native parts and goes on without them.
    external: ['cpu-features', '*.node'],
    define: { OPSCTL_VERSION: JSON.stringify(version) },
    banner: { js: requireBanner },
    plugins: [embedShellFiles],
  });
  const files = result.outputFiles.map((file) => ({ path: file.path, bytes: file.contents }));
  const isEntry = (path: string) => basename(path) === 'main.js';
  for (const file of files.filter(({ path }) => !isEntry(path))) await replaceFile(file.path, file.bytes);
  for (const file of files.filter(({ path }) => isEntry(path))) await replaceFile(file.path, file.bytes);
  await removeStale(out, new Set(files.map(({ path }) => path)));
  return {
    files: files.map(({ path }) => path),
    bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0),
    metafile: result.metafile,
  };
}

// CommonJS packages in an ES module bundle ask for these.
const requireBanner = [
  "import{createRequire as __createRequire}from'node:module';",
  "import{fileURLToPath as __toPath}from'node:url';",
  'const require=__createRequire(import.meta.url);',
  "const __filename=__toPath(import.meta.url);const __dirname=__toPath(new URL('.',import.meta.url));",
].join('');

/**
 * Puts the text of a shell file where `script('./x.sh', import.meta.url)` stands. Any other use of
 * `import.meta` would point into dist/ and not find its file, so it is refused; main.ts alone sits as deep in
 * dist/ as in src/ and may find the package's own files.
 */
export const embedShellFiles: Plugin = {
  name: 'embed-shell-files',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes('import.meta') || path === join(root, 'src/main.ts')) return undefined;
      // Takes the comments out too: an example in one is no call.
      let { code } = await transform(source, { loader: 'ts', target: 'node20', legalComments: 'none' });
      for (const [call, file] of code.matchAll(scriptCall)) {
        const shellFile = join(dirname(path), file as string);
        const text = compactShell(await readFile(shellFile, 'utf8'));
        code = code.replace(call, () => JSON.stringify({ name: basename(shellFile), text }));
      }
      if (!code.includes('import.meta')) return { contents: code, loader: 'js' };
      const where = relative(root, path);
      return {
        errors: [{ text: `${where}: import.meta means another folder in dist/; pass the path in from main.ts` }],
      };
    });
  },
};

const scriptCall = /\bscript\(\s*"(\.\/[^"]+\.sh)",\s*import\.meta\.url\s*\)/g;

async function replaceFile(path: string, contents: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(draft, contents);
  await rename(draft, path);
}

/** Chunks of earlier builds go when nobody can be using them any more; at once when the folder is packed. */
async function removeStale(out: string, current: ReadonlySet<string>): Promise<void> {
  const packing = ['pack', 'publish'].includes(process.env.npm_command ?? '');
  const oldest = packing ? Number.POSITIVE_INFINITY : Date.now() - 10 * 60_000;
  for (const name of await readdir(out)) {
    const path = join(out, name);
    if (current.has(path)) continue;
    const changed = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (changed < oldest) await rm(path, { force: true });
  }
}

export async function buildAll(): Promise<Built> {
  const { generate } = await import('./generate.js');
  await generate();
  const built = await bundle();
  await replaceFile(join(root, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicenses(built.metafile, root));
  return built;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = Date.now();
  try {
    const built = await buildAll();
    const size = (built.bytes / 1024 / 1024).toFixed(2);
    process.stdout.write(`dist: ${built.files.length} files, ${size} MB, ${Date.now() - started} ms\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
