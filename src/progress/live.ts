import type { RunEvent } from '../execute/events.js';
import type { Progress, ProgressOptions } from './progress.js';
import { applyEvent, startState, stopNews } from './state.js';
import type { View } from './view.js';
import { type DetachedWriter, detachedWriter } from './writer.js';

const framesPerSecond = 10;

/** For a screen: a spinner for one host, a status line and the running hosts for many. Failures scroll away above. */
export function liveProgress({ terminal, now = Date.now }: Omit<ProgressOptions, 'kind'>): Progress {
  const state = startState();
  const planned = new Map<string, number>();
  const writer = detachedWriter(terminal);
  let startedAt = now();
  let view: View | undefined;
  let loading: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let reopen: (() => void) | undefined;
  let paused = false;

  function frame(): void {
    // A slow screen skips frames; the news waits for the next one.
    if (!view || !writer.idle) return;
    const news = state.news;
    state.news = [];
    view.draw(state, news, (now() - startedAt) / 1000);
  }

  async function start(hosts: number, output: DetachedWriter): Promise<void> {
    const open = hosts === 1 ? (await import('./spinner.js')).openSpinner : (await import('./many.js')).openManyHosts;
    reopen = () => {
      view = open(terminal, output);
      frame();
      timer = setInterval(frame, 1000 / framesPerSecond);
      timer.unref();
    };
    if (!paused) reopen();
  }

  async function close(): Promise<void> {
    paused = true;
    clearInterval(timer);
    await loading;
    await writer.drain();
    const news = state.news;
    state.news = [];
    if (view) view.close(news);
    else for (const { outcome, text } of news) writer.write(`${outcome.padEnd(11)} ${text}\n`);
    view = undefined;
    await writer.drain();
  }

  return {
    onEvent(event: RunEvent) {
      applyEvent(state, event, planned);
      if (event.type === 'run-start') {
        startedAt = now();
        loading = start(event.hosts.length, writer).catch(() => {});
      }
    },
    pause: close,
    resume() {
      paused = false;
      if (!view) reopen?.();
    },
    stopping(reason) {
      state.news.push(stopNews(reason, now()));
    },
    finish: close,
  };
}
