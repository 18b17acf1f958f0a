/** Lets a limited number of holders in, in the order they came. */
export class Gate {
  readonly #limit: number;
  #held = 0;
  readonly #waiting: Waiter[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get idle(): boolean {
    return this.#held === 0 && this.#waiting.length === 0;
  }

  /** Resolves with the function that leaves the gate again; rejects with the signal's reason. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#held < this.#limit && this.#waiting.length === 0) {
      this.#held++;
      return this.#leave();
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', waiter.abort);
          this.#held++;
          resolve(this.#leave());
        },
        abort: () => {
          const index = this.#waiting.indexOf(waiter);
          if (index >= 0) this.#waiting.splice(index, 1);
          reject(signal.reason as Error);
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', waiter.abort, { once: true });
    });
  }

  #leave(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#held--;
      this.#admit();
    };
  }

  #admit(): void {
    while (this.#held < this.#limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      next.admit();
    }
  }
}

interface Waiter {
  admit(): void;
  readonly abort: () => void;
}
