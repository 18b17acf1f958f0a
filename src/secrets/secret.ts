import { inspect } from 'node:util';

/**
 * A secret value. It never turns into text by accident: string conversion, JSON and inspection all give
 * `[secret NAME]`. The value leaves only through `reveal`, whose callers are listed in the lint rules.
 */
export class Secret {
  readonly name: string;
  readonly #value: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.#value = value;
  }

  /** Hands the value to `use`. Do not store what it gets. */
  reveal<T>(use: (value: string) => T): T {
    return use(this.#value);
  }

  toString(): string {
    return `[secret ${this.name}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
