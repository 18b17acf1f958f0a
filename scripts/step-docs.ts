/**
 * `tsx scripts/step-docs.ts`: puts the table of parameters of every step kind into its README, between
 * `<!-- params -->` and `<!-- /params -->`. test/steps/kinds.test.ts fails when one is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentKind, paramsTable } from '../src/steps/documentation.js';
import { stepKinds } from '../src/steps/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));

for (const [name, load] of Object.entries(stepKinds)) {
  const readme = join(root, 'src/steps', ...name.split('.'), 'README.md');
  const before = await readFile(readme, 'utf8');
  const table = paramsTable(documentKind(await load()));
  const after = before.replace(
    /(<!-- params -->\n)[\s\S]*(<!-- \/params -->)/,
    (_, open, close) => open + table + close,
  );
  if (!after.includes(table)) process.stderr.write(`${readme}: no <!-- params --> … <!-- /params -->\n`);
  if (after === before) continue;
  await writeFile(readme, after);
  process.stdout.write(`${readme}\n`);
}
