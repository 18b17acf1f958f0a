import { UnreadableOutput } from '../../step.js';

export interface Disk {
  readonly device: string;
  /** What `-d` names, or `-`. */
  readonly type: string;
  /** Model, as the disk says it. */
  readonly model: string;
  /** Bit mask of smartctl(8). */
  readonly status: number;
  /** What smartctl says in words when it fails. */
  readonly messages: readonly string[];
  /** False when the disk says that it has none; null when smartctl is too old to tell. */
  readonly capable: boolean | null;
  readonly passed: boolean | null;
  /** Names of attributes that are below their threshold, and that were once. */
  readonly failing: readonly string[];
  readonly failed: readonly string[];
  readonly numbers: Numbers;
}

/** Null where the disk does not count it. */
export interface Numbers {
  readonly reallocated: number | null;
  readonly pending: number | null;
  readonly uncorrectable: number | null;
  /** Part of the life that is used, 1 and above when it is over. */
  readonly wear: number | null;
  readonly spare: number | null;
  readonly temperature: number | null;
}

export interface Report {
  readonly disks: readonly Disk[];
  /** Devices that smartctl found and cannot open, in its words. */
  readonly closed: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** Reads what the probe prints: the JSON of smartctl for every disk. */
export function readReport(said: string): Report {
  if (!/^== end\n*$/m.test(said)) throw new UnreadableOutput('the report of smartctl is cut off');
  const blocks = said.split(/^== disk /m).slice(1);
  return {
    disks: blocks.map(readDisk),
    closed: [...said.matchAll(/^== closed (.+)$/gm)].map((match) => match[1] ?? ''),
  };
}

function readDisk(block: string): Disk {
  const match = /^(\S+) (\S+)\n([\s\S]*?)\n== status (\d+)$/m.exec(block);
  if (!match) throw new UnreadableOutput(`the report of ${block.split(' ')[0]} is cut off`);
  const [, device = '', type = '', text = '', status] = match;
  const json = parseJson(text, device);
  const attributes = listOf(at(json, 'ata_smart_attributes', 'table'));
  const named = (when: string) =>
    attributes.filter((one) => one.when_failed === when).map((one) => `${one.name ?? one.id}`);
  const support = at(json, 'smart_support', 'available');
  const passed = at(json, 'smart_status', 'passed');
  return {
    device,
    type,
    model: textOf(json.model_name) ?? textOf(json.scsi_model_name) ?? '',
    status: Number(status),
    messages: listOf(at(json, 'smartctl', 'messages')).flatMap((one) => textOf(one.string) ?? []),
    capable: typeof support === 'boolean' ? support : null,
    passed: typeof passed === 'boolean' ? passed : null,
    failing: named('now'),
    failed: named('past'),
    numbers: readNumbers(json, attributes),
  };
}

function readNumbers(json: Json, attributes: readonly Json[]): Numbers {
  const raw = (id: number) => countIn(attributes.find((one) => one.id === id));
  const log = 'nvme_smart_health_information_log';
  const counters = ['read', 'write', 'verify'].map((what) =>
    numberAt(json, 'scsi_error_counter_log', what, 'total_uncorrected_errors'),
  );
  const uncorrected = counters.some((count) => count !== null)
    ? counters.reduce<number>((sum, count) => sum + (count ?? 0), 0)
    : null;
  const used =
    numberAt(json, log, 'percentage_used') ??
    numberAt(json, 'scsi_percentage_used_endurance_indicator') ??
    numberAt(json, 'endurance_used', 'current_percent');
  const spare = numberAt(json, log, 'available_spare');
  const temperature = numberAt(json, 'temperature', 'current');
  return {
    reallocated: raw(5) ?? numberAt(json, 'scsi_grown_defect_list'),
    pending: raw(197),
    uncorrectable: raw(198) ?? numberAt(json, log, 'media_errors') ?? uncorrected,
    wear: used === null ? null : used / 100,
    spare: spare === null ? null : spare / 100,
    // 0 stands for a disk without a sensor.
    temperature: temperature === 0 ? null : temperature,
  };
}

/** Some disks pack three counters into one: `8589934594`, which smartctl knows to be `2 (2 0)`. */
function countIn(attribute: Json | undefined): number | null {
  const [, first] = /^(\d+)(?: \(.*\))?$/.exec(textOf(at(attribute, 'raw', 'string')) ?? '') ?? [];
  return first === undefined ? numberAt(attribute, 'raw', 'value') : Number(first);
}

function parseJson(text: string, device: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && isObject(value.smartctl)) return value;
  } catch {
    // Told below.
  }
  throw new UnreadableOutput(`smartctl says no JSON of ${device} (it needs version 7): ${text.trim().slice(0, 200)}`);
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}

function numberAt(value: unknown, ...path: readonly string[]): number | null {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
