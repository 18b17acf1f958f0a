import ora from 'ora';
import { formatSeconds } from '../reports/figures.js';
import { clip } from '../reports/layout.js';
import type { Terminal } from '../terminal.js';
import { screenOf } from './screen.js';
import type { ProgressState } from './state.js';
import { chalkFor, newsLine, type OpenView } from './view.js';

/** The view of a single host: a spinner with the step it is at. */
export const openSpinner: OpenView = (terminal) => {
  const spinner = startSpinner(terminal, 'starting');
  const chalk = chalkFor(terminal);
  // While it turns, ora takes what others write to stderr and draws itself below.
  const persist = (news: Parameters<ReturnType<OpenView>['close']>[0]) => {
    if (news.length === 0) return;
    spinner.clear();
    void terminal.err(news.map((item) => `${newsLine(item, chalk, terminal.width - 1)}\n`).join(''));
  };

  return {
    draw(state, news, elapsed) {
      persist(news);
      spinner.text = clip(spinnerText(state, elapsed), terminal.width - 4);
    },
    close(news) {
      spinner.stop();
      persist(news);
    },
  };
};

/** A wait of this machine with a text, such as a scan of host keys. `stop` takes it off the screen. */
export function startSpinner(terminal: Terminal, text: string) {
  return ora({
    text: clip(text, terminal.width - 4),
    stream: screenOf(terminal, (output) => void terminal.err(output)),
    isEnabled: terminal.stderrIsTty,
    isSilent: !terminal.stderrIsTty,
    // A key press belongs to the shell or to a question, and Ctrl-C must arrive as a signal.
    discardStdin: false,
    hideCursor: false,
    color: terminal.colorErr ? 'cyan' : false,
  }).start();
}

function spinnerText(state: ProgressState, elapsed: number): string {
  const [host] = state.running.values();
  const time = formatSeconds(Math.floor(elapsed));
  if (!host) return state.done > 0 ? `finishing  ${time}` : `starting  ${time}`;
  const steps = host.steps > 0 ? `  ${Math.min(host.finished + 1, host.steps)}/${host.steps}` : '';
  return `${host.name}${steps}  ${host.doing}  ${time}`;
}
