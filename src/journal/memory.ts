import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  readonly samples: readonly (readonly [at: number, values: Readonly<Record<string, number>>])[];
}

type StoredHost = Readonly<Record<string, StoredStep>>;

/** Samples of a step that are kept; older ones are thinned out, so that a year fits, too. */
const mostSamples = 400;
/** A step that has not run for so long is forgotten. Seconds. */
const longest = 400 * 86_400;

const format = 'opsctl.memory/1';

export function openMemory(folder: string): MemoryStore {
  const known = new Map<string, StoredHost>();
  const noted = new Map<string, Map<string, { readonly keep?: unknown; readonly sample: Sample }>>();
  const fileOf = (host: string) => join(folder, `${encodeURIComponent(host)}.json`);
  return {
    of(host, step) {
      let stored = known.get(host);
      if (!stored) {
        stored = readHost(fileOf(host));
        known.set(host, stored);
      }
      const { kept, samples = [] } = Object.hasOwn(stored, step) ? (stored[step] ?? {}) : ({} as Partial<StoredStep>);
      return { ...(kept !== undefined && { kept }), samples: samples.map(([at, values]) => ({ at, values })) };
    },
    add(host, step, entry) {
      const steps = noted.get(host) ?? new Map();
      steps.set(step, entry);
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
          const text = JSON.stringify({ format, steps: merge(readHost(file), steps) });
          writeFileSync(draft, `${text}\n`, { mode: 0o600 });
          renameSync(draft, file);
        } catch (error) {
          if (existsSync(draft)) rmSync(draft);
          problems.push(`what ${host} showed is not remembered: ${(error as Error).message}`);
        }
      }
      return problems;
    },
  };
}

/** A file that is not there, or is not ours, is no memory: the next run begins anew. */
function readHost(file: string): StoredHost {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as { format?: unknown; steps?: StoredHost };
    return value.format === format && value.steps ? value.steps : {};
  } catch {
    return {};
  }
}

function merge(
  stored: StoredHost,
  noted: ReadonlyMap<string, { readonly keep?: unknown; readonly sample: Sample }>,
): StoredHost {
  const newest = Math.max(...Array.from(noted.values(), ({ sample }) => sample.at));
  const alive = Object.entries(stored).filter(([, { samples }]) => (samples.at(-1)?.[0] ?? 0) > newest - longest);
  const merged: Record<string, StoredStep> = Object.fromEntries(alive);
  for (const [step, { keep, sample }] of noted) {
    const { kept, samples = [] } = Object.hasOwn(merged, step) ? (merged[step] ?? {}) : ({} as Partial<StoredStep>);
    const last = keep ?? kept;
    merged[step] = {
      ...(last !== undefined && { kept: last }),
      samples: thin([...samples.filter(([at]) => at < sample.at), [sample.at, sample.values]]),
    };
  }
  return merged;
}

/** Drops every other sample of the older half when there are too many: recent ones stay dense, the span stays. */
function thin<T>(samples: readonly T[]): readonly T[] {
  if (samples.length <= mostSamples) return samples;
  const half = Math.floor(samples.length / 2);
  return samples.filter((_, index) => index >= half || index % 2 === 0);
}
