/**
 * `npm run build`: schemas and validators, then src/main.ts and all that it needs in dist/, so that the package
 * has no runtime dependency.
 *
 * Chunks carry a hash of their content; they are written first and main.js is renamed into place last. A run that
 * is under way, and another build at the same time, therefore always find every file that their main.js names.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InputOptions, type OutputChunk, type OutputOptions, rolldown } from 'rolldown';
import { chunkNames } from './chunks.js';
import { embed } from './embed.js';
import { thirdPartyLicenses } from './licenses.js';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface BuiltFile {
  readonly name: string;
  readonly bytes: number;
  /** Names of the files that are loaded with it. */
  readonly imports: readonly string[];
  /** Paths of the modules that have code in it. */
  readonly modules: readonly string[];
}

export interface Built {
  readonly files: readonly BuiltFile[];
  readonly bytes: number;
}

/** Packages that are loaded in the middle of a synchronous function, when it turns out that they are needed. */
const onDemand = ['@marcbachmann/cel-js', 're2js', 'string-width'];

export async function bundle(out = join(root, 'dist')): Promise<Built> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const packages = await generate(
    { input: Object.fromEntries(onDemand.map((name) => [basename(name), name])) },
    { format: 'cjs', exports: 'named', entryFileNames: '[name]-[hash].cjs', chunkFileNames: '[name]-[hash].cjs' },
  );
  const fileOf = (name: string) => packages.find((chunk) => chunk.name === basename(name))?.fileName;
  const names = chunkNames(root);
  const own = await generate(
    {
      input: { main: 'src/main.ts' },
      // Other files of the bundle may ask main.js for modules.
      preserveEntrySignatures: 'allow-extension',
      transform: { define: { OPSCTL_VERSION: JSON.stringify(version) } },
      plugins: [embed(root, fileOf), names.plugin],
    },
    {
      format: 'es',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      codeSplitting: { groups: [{ debugName: 'chunks', name: names.nameOf }], includeDependenciesRecursively: false },
    },
  );
  refuseCycles(own);
  const chunks = [...packages, ...own];
  for (const chunk of chunks.filter(({ isEntry, fileName }) => !isEntry || fileName !== 'main.js'))
    await replaceFile(join(out, chunk.fileName), chunk.code);
  for (const chunk of chunks.filter(({ fileName }) => fileName === 'main.js'))
    await replaceFile(join(out, chunk.fileName), chunk.code);
  await removeStale(out, new Set(chunks.map(({ fileName }) => join(out, fileName))));
  const files = chunks.map(describe);
  return { files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function generate(input: InputOptions, output: OutputOptions): Promise<readonly OutputChunk[]> {
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    // ssh2 asks for its native parts and goes on without them.
    external: ['cpu-features', /\.node$/],
    // The same code as ES modules: they need no wrapper, and what is not used is left out.
    resolve: { alias: { yaml: join(root, 'node_modules/yaml/browser/dist/index.js') } },
    checks: { ineffectiveDynamicImport: false },
    ...input,
    transform: {
      target: 'node20',
      ...input.transform,
      // CommonJS packages in an ES module bundle ask for these.
      define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename', ...input.transform?.define },
    },
  });
  try {
    const { output: files } = await build.generate({
      ...output,
      topLevelVar: true,
      comments: false,
      // Names stay as written: a stack in a bug report must mean something.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      minifyInternalExports: false,
    });
    return files.map((file) => {
      if (file.type !== 'chunk') throw new Error(`${file.fileName}: the bundle is to hold nothing but code`);
      return file;
    });
  } finally {
    await build.close();
  }
}

/** Files that import each other would run modules before what they need. */
function refuseCycles(chunks: readonly OutputChunk[]): void {
  const imports = new Map(chunks.map((chunk) => [chunk.fileName, chunk.imports]));
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) throw new Error(`files of the bundle import each other: ${[...path, name].join(' → ')}`);
    if (done.has(name)) return;
    for (const next of imports.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of imports.keys()) visit(name, []);
}

function describe({ fileName, code, imports, modules }: OutputChunk): BuiltFile {
  const given = Object.entries(modules).filter(([, { renderedLength }]) => renderedLength > 0);
  return {
    name: fileName,
    bytes: Buffer.byteLength(code),
    imports,
    modules: given.map(([path]) => path).filter((path) => path.startsWith('/')),
  };
}

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
  const { generate: generateSchemas } = await import('./generate.js');
  await generateSchemas();
  const built = await bundle();
  await replaceFile(
    join(root, 'THIRD-PARTY-LICENSES.txt'),
    await thirdPartyLicenses(built.files.flatMap(({ modules }) => modules)),
  );
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
