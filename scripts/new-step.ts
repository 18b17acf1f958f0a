/**
 * `npm run new-step -- check.example`: the folder of a new step kind, whole and passing, and its line in the
 * family's index. Change it from there: it counts processes.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const templates = join(root, 'scripts/new-step');

/** Makes the kind below `base` and returns what was written. */
export async function newStep(kind: string, base = root): Promise<string[]> {
  const [family, name] = /^([a-z]+)\.([a-z][a-z0-9-]*)$/.exec(kind)?.slice(1) ?? [];
  if (!family || !name) throw new Error(`"${kind}" is no kind; write family.name, such as check.example`);
  const index = join(base, 'src/steps', family, 'index.ts');
  if (!existsSync(index)) {
    const folders = (await readdir(join(base, 'src/steps'), { withFileTypes: true })).filter((one) =>
      one.isDirectory(),
    );
    throw new Error(`no family "${family}"; there are: ${folders.map((one) => one.name).join(', ')}`);
  }
  const folder = join(base, 'src/steps', family, name);
  if (existsSync(folder)) throw new Error(`${relative(base, folder)} is already there`);

  await mkdir(join(folder, 'fixtures'), { recursive: true });
  const files = [join(folder, 'fixtures/debian12.txt')];
  await writeFile(files[0] as string, 'processes\t142\n');
  for (const template of await readdir(templates)) {
    const text = await readFile(join(templates, template), 'utf8');
    const file = join(folder, template.replace(/\.txt$/, ''));
    await writeFile(file, text.replaceAll('@kind@', kind));
    files.push(file);
  }
  await writeFile(index, withLine(await readFile(index, 'utf8'), family, name));
  return [...files, index].map((file) => relative(base, file));
}

/** The registry with one more line, in the order of names. */
function withLine(source: string, family: string, name: string): string {
  const line = `  '${family}.${name}': async () => (await import('./${name}/step.js')).default,`;
  const opened = source.replace(/= \{\};\n/, '= {\n};\n').split('\n');
  const isLine = (text: string) => text.startsWith(`  '${family}.`);
  const after = opened.findIndex((text) => isLine(text) && text > line);
  const end = opened.indexOf('};');
  opened.splice(after === -1 ? end : after, 0, line);
  return opened.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const files = await newStep(process.argv[2] ?? '');
    process.stdout.write(files.map((file) => `${file}\n`).join(''));
    process.stdout.write('next: npx tsx scripts/step-docs.ts\n');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nusage: npm run new-step -- check.example\n`);
    process.exitCode = 2;
  }
}
