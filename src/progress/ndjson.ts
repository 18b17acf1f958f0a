import { printJson } from '../reports/escape.js';
import type { Progress, ProgressOptions } from './progress.js';
import { detachedWriter } from './writer.js';

/** For programs: every event as one line of JSON. */
export function ndjsonProgress({ terminal }: Pick<ProgressOptions, 'terminal'>): Progress {
  const writer = detachedWriter(terminal);
  return {
    onEvent: (event) => writer.write(`${printJson(event)}\n`),
    pause: () => writer.drain(),
    resume: () => {},
    // The end of the run tells it.
    stopping: () => {},
    finish: () => writer.drain(),
  };
}
