import type { Progress, ProgressOptions } from './progress.js';
import { detachedWriter } from './writer.js';

/** For programs: every event as one line of JSON. */
export function ndjsonProgress({ terminal }: Pick<ProgressOptions, 'terminal'>): Progress {
  const writer = detachedWriter(terminal);
  return { onEvent: (event) => writer.write(`${JSON.stringify(event)}\n`), finish: () => writer.drain() };
}
