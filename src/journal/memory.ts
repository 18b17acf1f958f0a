import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Memory, Sample } from '../steps/step.js';

/** What steps remember from run to run, a file a host. Read when a step of the host first asks. */
export interface MemoryStore {
  of(host: string, step: string): Memory;
  /** Takes note of a run; nothing is on the disk before `commit`. */
  add(host: string, step: string, entry: { readonly keep?: unknown; readonly sample: Sample }): void;
  /**
   * Writes what was noted. Each host is read again first, so that a run that ended meanwhile loses nothing.
   * @returns what could not be written, in words
   */
  commit(): readonly string[];
}

interface StoredStep {
  readonly kept?: unknown;
  readonly samples: readonly StoredSample[];
  /** Of the newest sample that has any; what was measured in another unit is forgotten. */
  readonly units?: Readonly<Record<string, string>>;
}

type StoredSample = readonly [at: number, values: Readonly<Record<string, number>>];

type StoredHost = Readonly<Record<string, StoredStep>>;

/** Samples of a step that are kept; older ones are thinned out, so that a year fits, too. */
const mostSamples = 400;
/** A step, or a host, that has not run for so long is forgotten. Seconds. */
const longest = 400 * 86_400;
/** Nobody writes for so long. Milliseconds. */
const draftLife = 86_400_000;

const format = 'opsctl.memory/1';

export function openMemory(folder: string): MemoryStore {
  const known = new Map<string, StoredHost | typeof damaged>();
  const noted = new Map<string, Map<string, { readonly keep?: unknown; readonly sample: Sample }>>();
  const fileOf = (host: string) => join(folder, `${encodeURIComponent(host)}.json`);
  return {
    of(host, step) {
      let stored = known.get(host);
      if (!stored) {
        stored = recall(fileOf(host));
        known.set(host, stored);
      }
      if (stored === damaged) return { samples: [], isLost: true };
      const { kept, samples = [], units } = stepIn(stored, step);
      return {
        ...(kept !== undefined && { kept }),
        samples: samples.map(([at, values]) => ({ at, values, ...(units && { units }) })),
      };
    },
    add(host, step, entry) {
      const steps = noted.get(host) ?? new Map();
      steps.set(step, { ...entry, sample: finite(entry.sample) });
      noted.set(host, steps);
    },
    commit() {
      const problems: string[] = [];
      if (noted.size === 0) return problems;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
      } catch (error) {
        return [`what the hosts showed is not remembered: ${(error as Error).message}`];
      }
      for (const [host, steps] of noted) {
        const file = fileOf(host);
        const draft = `${file}.${randomBytes(4).toString('hex')}`;
        try {
          const before = readHost(file);
          if (before === damaged) problems.push(`what ${host} showed in earlier runs is lost: ${file} is damaged`);
          const text = JSON.stringify({ format, steps: merge(before === damaged ? {} : before, steps) });
          writeFileSync(draft, `${text}\n`, { mode: 0o600 });
          renameSync(draft, file);
        } catch (error) {
          if (existsSync(draft)) rmSync(draft);
          problems.push(`what ${host} showed is not remembered: ${(error as Error).message}`);
        }
      }
      try {
        forget(folder, Date.now());
      } catch (error) {
        problems.push(`what old hosts showed is not removed: ${(error as Error).message}`);
      }
      return problems;
    },
  };
}

/** Hosts come and go, and a process that is killed leaves its draft. */
function forget(folder: string, now: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const age = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
    if (age > longest * 1000 || (!name.endsWith('.json') && age > draftLife)) rmSync(path, { force: true });
  }
}

/** JSON has no other numbers. */
function finite({ values, ...sample }: Sample): Sample {
  return {
    ...sample,
    values: Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value))),
  };
}

/** What keeps it from being read is told by `commit`. */
function recall(file: string): StoredHost | typeof damaged {
  try {
    return readHost(file);
  } catch {
    return damaged;
  }
}

const damaged = 'damaged';

/**
 * Without a file there is no memory, and after a damaged one the next run begins anew. That of another version is left as
 * it is, for the version that can read it.
 */
function readHost(file: string): StoredHost | typeof damaged {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  let value: { readonly format?: unknown; readonly steps?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return damaged;
  }
  const theirs = value?.format;
  if (typeof theirs === 'string' && /^opsctl\.memory\/\d+$/.test(theirs) && theirs !== format)
    throw new Error(`${file} has format ${theirs}; this opsctl reads ${format}`);
  return theirs === format && isObject(value?.steps) && Object.values(value.steps).every(isStep)
    ? (value.steps as StoredHost)
    : damaged;
}

function isStep(value: unknown): boolean {
  const { samples, units = {} } = isObject(value) ? value : {};
  return Array.isArray(samples) && samples.every(isSample) && isObject(units);
}

function isSample(value: unknown): boolean {
  const [at, values] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return Number.isFinite(at) && isObject(values) && Object.values(values).every(Number.isFinite);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(
  stored: StoredHost,
  noted: ReadonlyMap<string, { readonly keep?: unknown; readonly sample: Sample }>,
): StoredHost {
  const newest = Math.max(...Array.from(noted.values(), ({ sample }) => sample.at));
  const alive = Object.entries(stored).filter(([, { samples }]) => (samples.at(-1)?.[0] ?? 0) > newest - longest);
  const merged: Record<string, StoredStep> = Object.fromEntries(alive);
  for (const [step, { keep, sample }] of noted) {
    const { kept, samples = [], units } = stepIn(merged, step);
    const last = keep ?? kept;
    // Of a run that measured nothing there are none.
    const known = Object.keys(sample.values).length > 0 ? (sample.units ?? {}) : (units ?? {});
    const earlier = samples.filter(([at]) => at < sample.at);
    const changed = Object.keys(known).filter((name) => (units?.[name] ?? known[name]) !== known[name]);
    merged[step] = {
      ...(last !== undefined && { kept: last }),
      samples: thin([...without(earlier, changed), [sample.at, sample.values]]),
      ...(Object.keys(known).length > 0 && { units: known }),
    };
  }
  return merged;
}

function stepIn(stored: StoredHost, step: string): Partial<StoredStep> {
  return Object.hasOwn(stored, step) ? (stored[step] ?? {}) : {};
}

function without(samples: readonly StoredSample[], names: readonly string[]): readonly StoredSample[] {
  if (names.length === 0) return samples;
  return samples.map(([at, values]) => [
    at,
    Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name))),
  ]);
}

/** Drops every other sample of the older half when there are too many: recent ones stay dense, the span stays. */
function thin<T>(samples: readonly T[]): readonly T[] {
  if (samples.length <= mostSamples) return samples;
  const half = Math.floor(samples.length / 2);
  return samples.filter((_, index) => index >= half || index % 2 === 0);
}
