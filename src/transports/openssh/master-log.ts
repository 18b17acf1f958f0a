import { closeSync, openSync, readSync, rmSync } from 'node:fs';

const lookEvery = 50;

/**
 * The debug log of a ControlMaster. It alone tells a command's exit status while a left-over process still holds
 * the streams open: the ssh that runs the command says it only when they have ended.
 */
export class MasterLog {
  readonly #path: string;
  readonly #file: number;
  readonly #watchers = new Map<number, (status: number) => void>();
  /** Statuses of sessions that nobody watches yet. */
  readonly #early = new Map<number, number>();
  /** Where the control channels that ask for a connection want to go; then, where the channels go. */
  readonly #wanted = new Map<number, string>();
  readonly #dialled = new Map<number, string>();
  readonly #refusals = new Map<string, string>();
  #closed = false;
  #offset = 0;
  #rest = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'r');
  }

  /** Calls back once, when the session has ended. Session numbers are used again: `forget` them. */
  watch(session: number, ended: (status: number) => void): void {
    // All up to the start of this session, so that the end of the last one with its number is not taken for its own.
    this.#look();
    const early = this.#early.get(session);
    this.#early.delete(session);
    if (early !== undefined) {
      ended(early);
      return;
    }
    this.#watchers.set(session, ended);
    this.#timer ??= setInterval(() => this.#look(), lookEvery);
  }

  forget(session: number): void {
    this.#watchers.delete(session);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#look();
    // What was said up to here belongs to sessions that are over.
    this.#early.clear();
  }

  /** Why there was no connection from the host to `destination`, as `host:port`. The ssh that asked is not told. */
  takeRefusal(destination: string): string | undefined {
    this.#look();
    const text = this.#refusals.get(destination);
    this.#refusals.delete(destination);
    return text;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }

  #look(): void {
    if (this.#closed) return;
    const block = Buffer.alloc(64 * 1024);
    for (;;) {
      const length = readSync(this.#file, block, 0, block.length, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      const lines = (this.#rest + block.toString('latin1', 0, length)).split(/\r?\n/);
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#read(line);
    }
  }

  #read(line: string): void {
    const begun = /client_session2_setup: id (\d+)/.exec(line);
    if (begun) this.#early.delete(Number(begun[1]));
    this.#readDial(line);
    const match = /mux_exit_message: channel (\d+): exit message, exitval (\d+)/.exec(line);
    if (!match) return;
    const session = Number(match[1]);
    const status = Number(match[2]);
    const watcher = this.#watchers.get(session);
    this.#watchers.delete(session);
    if (watcher) watcher(status);
    else this.#early.set(session, status);
  }

  #readDial(line: string): void {
    const asked = /: channel (\d+): stdio fwd to (.*)$/.exec(line);
    if (asked) this.#wanted.set(Number(asked[1]), String(asked[2]));
    const made = /: channel_new: (\d+) control (\d+)$/.exec(line);
    if (made) {
      const [channel, control] = [Number(made[1]), Number(made[2])];
      this.#dialled.set(channel, this.#wanted.get(control) ?? '');
      this.#wanted.delete(control);
    }
    const failed = /^channel (\d+): open failed: (.*)$/.exec(line);
    const destination = failed ? this.#dialled.get(Number(failed[1])) : undefined;
    if (failed && destination !== undefined) this.#refusals.set(destination, String(failed[2]));
  }
}
