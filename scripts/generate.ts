/**
 * `tsx scripts/generate.ts`: the schema literals of src as published JSON Schemas (schemas/) and as compiled
 * validators (src/generated/, not committed). `--check` writes nothing and fails when schemas/ is not up to date.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Ajv, { type AnySchema } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import addFormats from 'ajv-formats';
import { build } from 'esbuild';
import { includeKind, includeSchema } from '../src/documents/include.schema.js';
import type { JsonSchema } from '../src/documents/json-schema.js';
import { projectSchema } from '../src/documents/project.schema.js';
import { runbookSchema, stepGroupSchema, stepSchema } from '../src/documents/runbook.schema.js';
import { resultSchema } from '../src/result/result.schema.js';
import { stepKinds } from '../src/steps/index.js';
import { editorSchema } from './editor-schema.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Schemas that live with the part that reads them; each joins when its file is there. */
const schemaFiles = [
  { name: 'inventory', file: 'src/inventory/inventory.schema.ts', literal: 'inventorySchema' },
  { name: 'goss', file: 'src/steps/check/goss/goss.schema.ts', literal: 'gossSchema' },
  { name: 'waivers', file: 'src/result/waivers.schema.ts', literal: 'waiversSchema' },
] as const;

export interface Generated {
  /** Files that changed, relative to the repository. */
  readonly written: readonly string[];
}

export async function generate(options: { readonly check?: boolean } = {}): Promise<Generated> {
  const { documents, kinds, broken } = await collectSchemas();
  const written = await writeSchemas(documents, kinds, options.check === true);
  if (!options.check) written.push(...(await writeValidators({ ...internal, ...documents, ...kinds })));
  if (broken.length > 0)
    throw new AggregateError(broken, `step kinds that do not load: ${broken.map(String).join('; ')}`);
  return { written };
}

type Schemas = Readonly<Record<string, JsonSchema>>;

const internal: Schemas = { step: stepSchema, 'step-group': stepGroupSchema };

export async function collectSchemas(): Promise<{ documents: Schemas; kinds: Schemas; broken: Error[] }> {
  const documents: Record<string, JsonSchema> = {
    runbook: runbookSchema,
    project: projectSchema,
    result: resultSchema,
  };
  for (const { name, file, literal } of schemaFiles) {
    const path = join(root, file);
    if (existsSync(path)) documents[name] = (await import(pathToFileURL(path).href))[literal] as JsonSchema;
  }
  const kinds: Record<string, JsonSchema> = { [includeKind]: includeSchema };
  const broken: Error[] = [];
  for (const [kind, load] of Object.entries(stepKinds)) {
    try {
      kinds[kind] = (await load()).params;
    } catch (error) {
      broken.push(new Error(`${kind}: ${error instanceof Error ? error.message : error}`, { cause: error }));
    }
  }
  return { documents, kinds, broken };
}

async function writeSchemas(documents: Schemas, kinds: Schemas, check: boolean): Promise<string[]> {
  const changed: string[] = [];
  for (const [name, schema] of Object.entries(documents)) {
    const published = name === 'runbook' ? editorSchema(runbookSchema, stepSchema, stepGroupSchema, kinds) : schema;
    const text = `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...published }, null, 2)}\n`;
    if (await replaceWhenChanged(`schemas/${name}.schema.json`, text, check))
      changed.push(`schemas/${name}.schema.json`);
  }
  return changed;
}

const folder = 'src/generated/validators';

async function writeValidators(schemas: Schemas): Promise<string[]> {
  const generator = await readFile(fileURLToPath(import.meta.url));
  const hash = createHash('sha256').update(JSON.stringify(schemas)).update(generator).digest('hex');
  const stamp = `// ${hash}\n`;
  const index = join(root, folder, 'index.js');
  const names = Object.keys(schemas).sort();
  const current = existsSync(index) && (await readFile(index, 'utf8')).startsWith(stamp);
  if (current && names.every((name) => existsSync(join(root, folder, `${name}.js`)))) return [];

  const ajv = new Ajv.default({
    allErrors: true,
    useDefaults: true,
    allowUnionTypes: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    // Infinity is refused by documents/limits.ts, with better messages.
    strictNumbers: false,
    code: { source: true, esm: true, lines: true },
    // Checked by documents/duration.ts, with better messages.
    formats: { duration: true },
  });
  addFormats.default(ajv, ['date', 'date-time', 'uri', 'email', 'hostname', 'ipv4', 'ipv6']);
  const code = new Map(
    names.map((name) => {
      const { $id, ...schema } = schemas[name] as JsonSchema & { $id?: string };
      try {
        return [name, standaloneCode.default(ajv, ajv.compile(schema as AnySchema))] as const;
      } catch (error) {
        throw new Error(`schema of ${name}: ${(error as Error).message}`, { cause: error });
      }
    }),
  );
  const bundled = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `validator:${name}`, out: name })),
    outdir: folder,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'none',
    logLevel: 'error',
    plugins: [
      {
        name: 'validators',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^validator:/ }, ({ path }) => ({
            path: path.slice('validator:'.length),
            namespace: 'validator',
          }));
          onLoad({ filter: /.*/, namespace: 'validator' }, ({ path }) => ({
            contents: code.get(path) as string,
            loader: 'js',
            resolveDir: root,
          }));
        },
      },
    ],
  });
  const written: string[] = [];
  for (const { path, text } of bundled.outputFiles) {
    const file = `${folder}/${path.slice(join(root, folder).length + 1)}`;
    if (await replaceWhenChanged(file, text, false)) written.push(file);
  }
  await replaceWhenChanged(`${folder}/index.d.ts`, declaration, false);
  const entries = names.map((name) => `  ${JSON.stringify(name)}: () => import('./${name}.js'),\n`).join('');
  await replaceWhenChanged(`${folder}/index.js`, `${stamp}export const validators = {\n${entries}};\n`, false);
  for (const name of await readdir(join(root, folder))) {
    if (!name.startsWith('index.') && !schemas[name.replace(/\.js$/, '')])
      await rm(join(root, folder, name), { force: true });
  }
  return [...written, `${folder}/index.js`];
}

const declaration = 'export const validators: Readonly<Record<string, () => Promise<{ default: unknown }>>>;\n';

async function replaceWhenChanged(file: string, text: string, check: boolean): Promise<boolean> {
  const path = join(root, file);
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before === text) return false;
  if (check) return true;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text);
  await rename(draft, path);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  const { written } = await generate({ check });
  const list = written.join(', ');
  if (check && written.length > 0) {
    process.stderr.write(`not up to date: ${list}; run npx tsx scripts/generate.ts and commit the result\n`);
    process.exitCode = 1;
  } else process.stdout.write(written.length > 0 ? `written: ${list}\n` : 'up to date\n');
}
