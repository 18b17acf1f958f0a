import { createLogUpdate } from 'log-update';
import { widthOf } from '../reports/layout.js';
import type { Terminal } from '../terminal.js';
import { screenOf } from './screen.js';
import type { ProgressState, RunningHost } from './state.js';
import { chalkFor, hostLine, newsLine, type OpenView, statusLine } from './view.js';

/** Rows kept free: the status line, the line of what is not shown, the prompt, one to breathe. */
const freeRows = 4;

/** The view of many hosts: a status line above at most `rows - 4` running hosts. */
export const openManyHosts: OpenView = (terminal, writer) => {
  const screen = screenOf(terminal, (text) => writer.write(text));
  // The cursor stays visible, so that no way of ending can leave it hidden.
  const update = createLogUpdate(screen, { showCursor: true });
  const chalk = chalkFor(terminal);

  function persist(news: Parameters<ReturnType<OpenView>['close']>[0]): void {
    // Not `update.persist`: it cuts what is longer than the screen is high.
    if (news.length === 0) return;
    update.clear();
    screen.write(news.map((item) => `${newsLine(item, chalk, terminal.width - 1)}\n`).join(''));
  }

  return {
    draw(state, news, elapsed) {
      screen.batch(() => {
        persist(news);
        const [status = '', ...lines] = frameLines(state, elapsed, terminal, Date.now());
        update([chalk.bold(status), ...lines].join('\n'));
      });
    },
    close(news) {
      screen.batch(() => {
        update.clear();
        persist(news);
        update.done();
      });
    },
  };
};

/** What one frame shows, without colour. */
export function frameLines(
  state: ProgressState,
  elapsed: number,
  { width, rows }: Pick<Terminal, 'width' | 'rows'>,
  now: number,
): readonly string[] {
  const room = Math.max(0, rows - freeRows);
  const all = state.running.size;
  const shown: RunningHost[] = [];
  for (const host of state.running.values()) {
    if (shown.length >= room) break;
    shown.push(host);
  }
  const nameWidth = Math.min(
    Math.floor(width / 2),
    shown.reduce((most, { name }) => Math.max(most, widthOf(name)), 0),
  );
  return [
    statusLine(state, elapsed, width - 1),
    ...shown.map((host) => hostLine(host, nameWidth, now, width - 1)),
    ...(all > shown.length ? [`  and ${all - shown.length} more hosts`] : []),
  ];
}
