import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** The licence texts of every package that has code in the bundle, in the order of their names. */
export async function thirdPartyLicenses(metafile: Metafile, root: string): Promise<string> {
  const sections = await Promise.all(bundledPackages(metafile).map((folder) => section(join(root, folder))));
  return [
    'opsctl contains code of the packages below. Their licences follow.\n',
    ...[...new Set(sections)].sort(),
  ].join(`\n${'-'.repeat(80)}\n\n`);
}

/** Package folders, such as `node_modules/ssh2/node_modules/asn1`, that gave bytes to an output. */
function bundledPackages(metafile: Metafile): string[] {
  const folders = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)];
}

async function section(folder: string): Promise<string> {
  const { name, version, license, licenses } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
    licenses?: readonly { type: string }[];
  };
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  const kind = license ?? licenses?.map(({ type }) => type).join(' OR ');
  if (files.length === 0 && !kind) throw new Error(`${name}: no licence found in ${folder}`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const body = texts.length > 0 ? texts.map((text) => text.trim()).join('\n\n') : `Licence: ${kind}`;
  return `${name} ${version} (${kind})\n\n${body}\n`;
}
