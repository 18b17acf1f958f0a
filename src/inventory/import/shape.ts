import type { AnsibleYaml } from '../../documents/ansible-yaml.js';
import { decode } from '../../documents/decode.js';
import { UnsafeText } from '../../documents/unsafe-text.js';
import { UserError } from '../../errors.js';
import { isMap } from '../connect.js';
import type { SourceFile } from './source-kind.js';

/** Which format a YAML or JSON inventory is in. */
export type Shape = 'opsctl' | 'ansible-yaml' | 'ansible-list';

const shapes = new WeakMap<SourceFile, Promise<Shape>>();

export function shapeOf(file: SourceFile): Promise<Shape> {
  const shape = shapes.get(file) ?? detect(file);
  shapes.set(file, shape);
  return shape;
}

const documents = new WeakMap<SourceFile, AnsibleYaml>();

/** The file as Ansible reads it, once for finding out its format and for reading it. */
export async function ansibleDocument(file: SourceFile): Promise<AnsibleYaml> {
  const known = documents.get(file);
  if (known) return known;
  // Loaded on use: inventories in JSON and INI do not need the YAML library.
  const { parseAnsibleYaml } = await import('../../documents/ansible-yaml.js');
  const document = parseAnsibleYaml(decode(file.bytes, file.name), file.name);
  documents.set(file, document);
  return document;
}

/** The keys at the left edge tell most files apart without reading them twice. */
async function detect(file: SourceFile): Promise<Shape> {
  const text = file.bytes.toString('utf8');
  if (!/^\s*[{[]/.test(text)) {
    const keys = topKeys(text);
    if (keys.has('all') || keys.has('plugin') || keys.has('ungrouped')) return 'ansible-yaml';
    if (opsctlKeys.some((key) => keys.has(key))) return 'opsctl';
  }
  // The first key settles it for a big file; a group of Ansible's may have such a name, but then there is `_meta`.
  if (/^\s*\{\s*"(?:\$schema|defaults|groups|hosts)"\s*:\s*["{]/.test(text) && !text.includes('"_meta"'))
    return 'opsctl';
  const json = readJson(text);
  if (json !== undefined) return shapeOfValue(json);
  try {
    return shapeOfValue((await ansibleDocument(file)).value);
  } catch (error) {
    if (error instanceof UserError) return 'opsctl';
    throw error;
  }
}

function readJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const opsctlKeys = ['defaults', 'groups', 'hosts', '$schema'];

function topKeys(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^(["']?)([A-Za-z_$][\w.$-]*)\1[ \t]*:(?=\s|$)/gm)].map((match) => match[2] ?? ''));
}

function shapeOfValue(value: unknown): Shape {
  if (!isMap(value) || value instanceof UnsafeText) return 'opsctl';
  if ('_meta' in value) return 'ansible-list';
  const keys = Object.keys(value);
  if (keys.includes('plugin')) return 'ansible-yaml';
  if (!keys.includes('all') && opsctlKeys.some((key) => keys.includes(key))) return 'opsctl';
  const groups = Object.values(value);
  if (groups.some((group) => Array.isArray(group) || (isMap(group) && Array.isArray(group.hosts))))
    return 'ansible-list';
  const isGroup = (group: unknown) =>
    group === null || (isMap(group) && Object.keys(group).every((key) => ['hosts', 'children', 'vars'].includes(key)));
  if (keys.includes('all')) return 'ansible-yaml';
  return groups.length > 0 && groups.every(isGroup) && groups.some(isMap) ? 'ansible-yaml' : 'opsctl';
}
