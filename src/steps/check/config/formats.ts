import { parseAnsibleYaml } from '../../../documents/ansible-yaml.js';
import { decode } from '../../../documents/decode.js';
import { readJson } from '../../../documents/json.js';
import { sourceOf } from '../../../documents/source.js';
import { UserError } from '../../../errors.js';
import { findInTree } from '../tree.js';
import { readIni, readKeyValue } from './ini.js';
import { readToml } from './toml.js';
import { type Trouble, TroubleError } from './trouble.js';
import { readXml } from './xml.js';

export const formats = ['ini', 'json', 'key-value', 'toml', 'xml', 'yaml'] as const;
export type Format = (typeof formats)[number];

const extensions: Readonly<Record<string, Format>> = {
  ini: 'ini',
  json: 'json',
  env: 'key-value',
  properties: 'key-value',
  toml: 'toml',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
};

/** The format that the name of a file tells. */
export function formatOf(path: string): Format | undefined {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(extensions, extension) ? extensions[extension] : undefined;
}

/** Whether its values have types; in the others all is text. */
export function isTyped(format: Format): boolean {
  return format === 'json' || format === 'toml' || format === 'yaml';
}

/** In place of messages that quote a value: `*hunter2` without quotes is an alias. */
const words: ReadonlyMap<string, string> = new Map([
  ['E_YAML_ALIAS', 'an alias that is not defined, or that expands too far'],
  ['E_YAML_TAG', 'a tag that only a program knows'],
  ['E_INV_VAULT', 'a value that ansible-vault encrypted'],
  ['E_INV_JINJA', 'a template where a value should be'],
  ['E_NUM_PRECISION', 'a number with too many digits'],
  ['E_RANGE', 'a number that is too large'],
  ['E_TYPE', 'a number with a leading zero'],
]);

/** The values at a path: none, one, or several where the path or the file says so. */
export type Find = (at: string) => readonly unknown[];

/** A host's file, or where and why it cannot be read. What is wrong with a file is never its contents. */
export function readConfig(bytes: Buffer, path: string, format: Format): Find | Trouble {
  try {
    return reader(decode(bytes, path), path, format);
  } catch (error) {
    if (error instanceof TroubleError) return error.trouble;
    if (!(error instanceof UserError)) throw error;
    const [problem] = error.problems;
    const { line, column } = problem?.place ?? {};
    const what = (problem && (words.get(problem.code) ?? problem.what)) ?? 'it cannot be read';
    return { what, ...(line && { line }), ...(column && { column }) };
  }
}

function reader(text: string, path: string, format: Format): Find {
  switch (format) {
    case 'ini':
      return readIni(text);
    case 'key-value':
      return readKeyValue(text);
    case 'xml':
      return readXml(text);
    case 'toml':
      return treeReader(readToml(text));
    case 'json': {
      const { value, problems } = readJson(sourceOf(path, text));
      if (problems.length > 0) throw new UserError(problems);
      return treeReader(value);
    }
    case 'yaml': {
      if (isJson(text)) return reader(text, path, 'json');
      const { value, problems, warnings } = parseAnsibleYaml(text, path);
      if (problems.length > 0) throw new UserError(problems);
      // Programs differ in which of two equal keys counts.
      const [, line, what] = /^:(\d+): (.*); the last one counts$/.exec(warnings[0]?.slice(path.length) ?? '') ?? [];
      if (what !== undefined) throw new TroubleError({ what, line: Number(line) });
      return treeReader(value);
    }
  }
}

/** All JSON is YAML, but its reader finds keys that are set twice. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function treeReader(value: unknown): Find {
  return (at) => findInTree(value, at);
}
