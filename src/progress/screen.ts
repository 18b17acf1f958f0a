import { EventEmitter } from 'node:events';
import type { Terminal } from '../terminal.js';

/**
 * stderr as the libraries that move the cursor want to see it: a TTY stream. All they write goes through
 * `write`, so that secrets are masked and errors are handled in one place.
 */
export interface Screen extends NodeJS.WriteStream {
  /** Sends what `draw` writes as one piece. */
  batch(draw: () => void): void;
}

export function screenOf(terminal: Pick<Terminal, 'width' | 'rows'>, write: (text: string) => void): Screen {
  let parts: string[] | undefined;
  const put = (text: string) => {
    if (parts) parts.push(text);
    else write(text);
    return true;
  };
  const screen = Object.assign(new EventEmitter(), {
    isTTY: true,
    write: (chunk: string | Uint8Array) => put(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')),
    cursorTo: (column: number) => put(`\u001b[${column + 1}G`),
    moveCursor: (_columns: number, lines: number) =>
      lines === 0 ? true : put(lines < 0 ? `\u001b[${-lines}A` : `\u001b[${lines}B`),
    clearLine: (direction: -1 | 0 | 1) =>
      put(direction === 1 ? '\u001b[0K' : direction === -1 ? '\u001b[1K' : '\u001b[2K'),
    batch(draw: () => void) {
      parts = [];
      try {
        draw();
      } finally {
        const text = parts.join('');
        parts = undefined;
        if (text !== '') write(text);
      }
    },
  });
  Object.defineProperties(screen, {
    columns: { get: () => terminal.width },
    rows: { get: () => terminal.rows },
  });
  return screen as unknown as Screen;
}
