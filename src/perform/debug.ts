import type { EventListener, RunEvent } from '../execute/events.js';
import { detachedWriter } from '../progress/writer.js';
import { escapeLine } from '../reports/escape.js';
import type { Terminal } from '../terminal.js';
import type { Channel, Connection, Target } from '../transports/transport.js';

/**
 * `--debug`: what is sent to each host and what comes back, with times, on stderr. Of what goes to stdin only
 * the size is told: it holds the secrets. What hosts say comes from the events, where secrets are masked and
 * the output of sensitive steps is left out.
 */
export interface DebugTrace {
  readonly onEvent: EventListener;
  /** The same connection, with an eye on it. */
  watch(target: Target, connection: Connection): Connection;
  connecting(target: Target): void;
  finish(): Promise<void>;
}

/** Lines of a stream that are shown for a step. */
const shownLines = 20;

export function debugTrace(terminal: Terminal): DebugTrace {
  const writer = detachedWriter(terminal);
  const started = new Map<string, number>();
  const since = (key: string) => `${Math.round(performance.now() - (started.get(key) ?? performance.now()))} ms`;
  const line = (host: string, verb: string, text: string) => {
    const time = new Date().toISOString().slice(11, 23);
    writer.write(`debug ${time} ${escapeLine(host)}  ${verb.padEnd(9)}  ${escapeLine(text)}\n`);
  };
  let execs = 0;

  function onEvent(event: RunEvent): void {
    if (event.type === 'host-connected')
      line(event.host, 'connected', `after ${since(event.host)}${hostKeys(event.hostKeys)}`);
    if (event.type === 'step-start')
      line(event.host, 'step', `${event.step} begins${event.job === undefined ? '' : `, job ${event.job}`}`);
    if (event.type === 'step-retry') line(event.host, 'retry', `${event.step}: ${event.reason}, try ${event.attempt}`);
    if (event.type === 'host-end' && event.reason !== undefined)
      line(event.host, 'lost', `${event.reason}: ${event.summary ?? ''}`);
    if (event.type !== 'step-end') return;
    const { step, uses, outcome, reason, evidence, duration } = event.result;
    const status = evidence?.exitStatus === undefined ? '' : `, status ${evidence.exitStatus}`;
    line(event.host, 'step', `${step} (${uses}) ${outcome}, ${reason}${status}, ${duration} s`);
    for (const stream of ['stdout', 'stderr'] as const) {
      const lines = (evidence?.[stream] ?? '').replace(/\n$/, '').split('\n');
      if (lines.length === 1 && lines[0] === '') continue;
      for (const text of lines.slice(0, shownLines)) line(event.host, stream, text);
      if (lines.length > shownLines) line(event.host, stream, `… ${lines.length - shownLines} more lines`);
    }
  }

  return {
    onEvent,
    connecting(target) {
      started.set(target.name, performance.now());
      line(target.name, 'connect', addressOf(target));
    },
    watch(target, connection) {
      return {
        ...connection,
        async exec(command, output) {
          execs += 1;
          const number = `#${execs}`;
          const key = `${target.name} ${number}`;
          let [out, err] = [0, 0];
          started.set(key, performance.now());
          line(target.name, 'exec', `${number} ${command}`);
          const channel = await connection.exec(command, {
            onStdout(chunk) {
              out += chunk.length;
              output.onStdout(chunk);
            },
            onStderr(chunk) {
              err += chunk.length;
              output.onStderr(chunk);
            },
          });
          void channel.exit.then(({ status, signal, lost }) => {
            const end = lost ? `lost (${lost.reason})` : signal ? `signal ${signal}` : `status ${status ?? 'unknown'}`;
            line(target.name, 'exit', `${number} ${end} after ${since(key)}, ${out} bytes out, ${err} bytes err`);
            started.delete(key);
          });
          return watchWrites(channel, (bytes) => line(target.name, 'sent', `${number} ${bytes} bytes on stdin`));
        },
      };
    },
    finish: () => writer.drain(),
  };
}

function watchWrites(channel: Channel, tell: (bytes: number) => void): Channel {
  return {
    exit: channel.exit,
    end: () => channel.end(),
    kill: () => channel.kill(),
    complete: () => channel.complete(),
    async write(data) {
      tell(Buffer.byteLength(data));
      await channel.write(data);
    },
  };
}

function addressOf({ transport, user, address, port, jump }: Target): string {
  if (transport === 'local') return 'local';
  const via = jump.length === 0 ? '' : ` through ${jump.map(({ name }) => name).join(', ')}`;
  return `${transport} ${user}@${address}:${port}${via}`;
}

function hostKeys(keys: readonly string[]): string {
  return keys.length === 0 ? '' : `, host key ${keys.join(' ')}`;
}
