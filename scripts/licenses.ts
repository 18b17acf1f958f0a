import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The licence texts of the packages that these modules belong to, in the order of their names. */
export async function thirdPartyLicenses(modules: readonly string[]): Promise<string> {
  const sections = await Promise.all(packageFolders(modules).map(section));
  return [
    'opsctl contains code of the packages below. Their licences follow.\n',
    ...[...new Set(sections)].sort(),
  ].join(`\n${'-'.repeat(80)}\n\n`);
}

/** Such as `/…/node_modules/ssh2/node_modules/asn1`. */
function packageFolders(modules: readonly string[]): string[] {
  const folders = modules
    .map((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0])
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
