import type { Terminal } from '../terminal.js';

/**
 * Writes in order without making anybody wait. While the reader is slow, text is kept up to a limit and
 * then left out, with a line that says so.
 */
export interface DetachedWriter {
  write(text: string): void;
  /** Nothing is on its way: a frame written now will be seen. */
  readonly idle: boolean;
  drain(): Promise<void>;
}

const maxWaiting = 1024 * 1024;
/** How long the end of a run waits for a reader that takes nothing. */
const drainDeadline = 2_000;

export function detachedWriter(terminal: Terminal): DetachedWriter {
  let waiting: string[] = [];
  let size = 0;
  let dropped = 0;
  let busy: Promise<void> | undefined;

  async function pump(): Promise<void> {
    while (waiting.length > 0) {
      const note = dropped > 0 ? `(${dropped} lines left out: the reader is slow)\n` : '';
      const text = waiting.join('') + note;
      waiting = [];
      size = 0;
      dropped = 0;
      await terminal.err(text);
    }
    busy = undefined;
  }

  return {
    write(text) {
      if (size + text.length > maxWaiting) {
        dropped += 1;
        return;
      }
      waiting.push(text);
      size += text.length;
      busy ??= pump();
    },
    get idle() {
      return busy === undefined;
    },
    async drain() {
      if (!busy) return;
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainDeadline);
      });
      await Promise.race([busy, deadline]);
      clearTimeout(timer);
    },
  };
}
