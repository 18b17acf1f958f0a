import type { HostStep } from '../steps/step.js';
import { type Connection, type Target, TransportError } from '../transports/transport.js';
import { type Attempt, judgeFrames, lostAttempt, noShell, refusedAttempt } from './attempt.js';
import type { RunContext } from './context.js';
import { FrameReader } from './payload/frames.js';
import { buildPayload, type PayloadProbe } from './payload/payload.js';
import type { ReadyItem } from './ready.js';
import { newNonce, type Privilege, type ShellRefusal, startShell } from './shell.js';

export interface RoundListener {
  onStart(index: number): void;
  onEnd(index: number, attempt: Attempt): void;
}

/** Bytes of each stream that are kept for a probe. */
const captureLimit = 1024 * 1024;
/** How long past a probe's own deadline the host may stay silent before the round is given up. */
const silenceGrace = 5_000;

/** The one connection to a host. Opened by the first round that needs it, used by all, closed at the end. */
export class HostSession {
  readonly #run: RunContext;
  readonly #host: string;
  readonly #target: Target;
  #connection: Promise<Connection> | undefined;
  /** Why the host is out of reach for the rest of the run. */
  failure: TransportError | undefined;

  constructor(run: RunContext, host: string, target: Target = run.targetOf(host)) {
    this.#run = run;
    this.#host = host;
    this.#target = target;
  }

  async connect(): Promise<Connection> {
    if (this.failure) throw this.failure;
    this.#connection ??= this.#open();
    return this.#connection;
  }

  /** How to become root on this host; undefined where the login already is. */
  get privilege(): Privilege | undefined {
    return this.#target.user === 'root' ? undefined : this.#run.privilegeOf(this.#host);
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /**
   * Runs read-only probes in one exec. Never rejects: every index gets exactly one attempt, in order. When the
   * link is cut, probes that had not ended are tried once more over a new connection.
   */
  async runRound(items: readonly ReadyItem[], sudo: boolean, listener: RoundListener): Promise<void> {
    // What the author of a runbook calls reading may still do harm twice: only our own probes are repeated.
    const mayRepeat = items.every(({ item }) => typeof item.step.kind.effect === 'string');
    const pending = await this.#runOnce(
      items.map((item, index) => ({ ...item, index })),
      sudo,
      listener,
      mayRepeat,
    );
    if (pending.length > 0) await this.#runOnce(pending, sudo, listener, false);
  }

  async #open(): Promise<Connection> {
    this.#run.emit({ type: 'host-connect', at: this.#run.now().toISOString(), host: this.#host });
    try {
      const connection = await this.#run.connect(this.#target, this.#run.signal);
      this.#run.emit({
        type: 'host-connected',
        at: this.#run.now().toISOString(),
        host: this.#host,
        hostKeys: connection.hostKeys,
      });
      return connection;
    } catch (error) {
      this.failure = asTransportError(error);
      throw this.failure;
    }
  }

  async #runOnce(
    items: readonly (ReadyItem & { readonly index: number })[],
    sudo: boolean,
    listener: RoundListener,
    mayRepeat: boolean,
  ) {
    let connection: Connection;
    try {
      connection = await this.connect();
    } catch (error) {
      for (const { index } of items) listener.onEnd(index, lostAttempt(asTransportError(error), false));
      return [];
    }
    const reported = new Set<number>();
    const probes = items.map(payloadProbe);
    const watch = new Silence();
    const nonce = newNonce();
    const report = (position: number, attempt: Attempt) => {
      const entry = items[position];
      if (!entry || reported.has(position)) return;
      reported.add(position);
      listener.onEnd(entry.index, attempt);
    };
    const frames: FrameReader = new FrameReader(nonce, items.length, captureLimit, {
      onBegin: (position) => {
        const entry = items[position];
        if (entry) listener.onStart(entry.index);
        watch.arm((probes[position]?.seconds ?? 0) * 1000 + silenceGrace);
      },
      onEnd: (position) => {
        const entry = items[position];
        const probe = frames.probes[position];
        if (!entry || !probe) return;
        report(
          position,
          judgeFrames(
            entry.item.step.kind as HostStep<unknown, unknown>,
            entry.params,
            probe,
            this.#judgeContext(entry),
            probes[position]?.seconds ?? 0,
          ),
        );
      },
      onFinish: () => shell?.complete(),
    });
    let shell: Awaited<ReturnType<typeof startShell>> | undefined;
    try {
      shell = await startShell(connection, buildPayload(nonce, probes), sudo ? this.privilege : undefined, {
        onStdout: (chunk) => frames.onStdout(chunk),
        onStderr: (chunk) => frames.onStderr(chunk),
        sawFrame: () => frames.began,
      });
      if (frames.finished) shell.complete();
    } catch (error) {
      this.failure = asTransportError(error);
      for (const position of items.keys()) report(position, lostAttempt(this.failure, false));
      return [];
    }
    // Nothing heard at all: the shell never started (login, sudo) or hangs.
    if (!frames.began) watch.arm(this.#target.deadlines.login + silenceGrace);
    const opened = shell;
    watch.onSilence = () => opened.kill();
    const stop = () => opened.kill();
    this.#run.signal.addEventListener('abort', stop, { once: true });
    // The run may have been stopped while the shell was being opened.
    if (this.#run.signal.aborted) stop();
    const exit = await shell.exit;
    this.#run.signal.removeEventListener('abort', stop);
    watch.disarm();
    frames.end();
    return this.#settle(items, frames, exit, shell.refusal(), watch.fired, reported, report, mayRepeat);
  }

  /** What to say of probes without an end: the round is over, and they were not. */
  async #settle(
    items: readonly (ReadyItem & { readonly index: number })[],
    frames: FrameReader,
    exit: { readonly status: number | null; readonly signal: string | null; readonly lost?: TransportError },
    refusal: ShellRefusal | undefined,
    silent: boolean,
    reported: ReadonlySet<number>,
    report: (position: number, attempt: Attempt) => void,
    mayRepeat: boolean,
  ): Promise<(ReadyItem & { readonly index: number })[]> {
    const open = items.map((_, position) => position).filter((position) => !reported.has(position));
    if (open.length === 0) return [];
    if (refusal) {
      if (noShell.includes(refusal.reason))
        this.failure = new TransportError('transport-error', 'unreachable', refusal.summary);
      for (const position of open) report(position, refusedAttempt(refusal));
      return [];
    }
    const stopped = this.#run.signal.aborted;
    const lost = stopped
      ? new TransportError('aborted', 'unknown', `stopped (${String(this.#run.signal.reason)})`)
      : silent
        ? new TransportError('transport-error', 'unknown', 'the host went silent past every deadline')
        : (exit.lost ??
          (exit.status === null && exit.signal === null
            ? new TransportError('connection-lost', 'unknown', 'the connection was lost')
            : undefined));
    if (lost) {
      // A cut that was noticed at once is worth another try; a dead link is not.
      if (mayRepeat && lost.reason === 'connection-lost') {
        await this.close();
        this.#connection = undefined;
        return open.map((position) => items[position]).filter((item) => item !== undefined);
      }
      this.failure = lost;
      for (const position of open) {
        const began = frames.probes[position]?.began ?? false;
        // The host has the whole payload: it may go on with probes that we never saw begin.
        report(position, lostAttempt(lost, began || !stopped));
      }
      return [];
    }
    const how = exit.signal ? `was ended by SIG${exit.signal.replace(/^SIG/, '')}` : `ended with status ${exit.status}`;
    for (const position of open) {
      const began = frames.probes[position]?.began ?? false;
      report(position, {
        outcome: 'unknown',
        reason: 'no-end-frame',
        summary: `the shell on the host ${how} before the step ${began ? 'ended' : 'began'}`,
      });
    }
    return [];
  }

  #judgeContext({ memory }: ReadyItem) {
    return { host: this.#host, now: this.#run.now(), ...(memory && { memory }) };
  }
}

function payloadProbe({ item: { step }, args }: ReadyItem): PayloadProbe {
  return {
    script: (step.kind as HostStep<unknown, unknown>).probe,
    args,
    seconds: Math.max(1, Math.ceil(step.timeout)),
  };
}

export function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  return new TransportError('transport-error', 'unreachable', (error as Error).message ?? String(error), {
    cause: error,
  });
}

/** A timer that is wound up again with every sign of life; moving its end to later costs no new timer. */
class Silence {
  fired = false;
  onSilence: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #end = 0;

  arm(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    if (end < this.#end) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#end = end;
    this.#timer ??= setTimeout(() => this.#look(), milliseconds);
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const left = this.#end - performance.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#look(), left);
      return;
    }
    this.fired = true;
    this.onSilence?.();
  }
}
