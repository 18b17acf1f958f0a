/**
 * The border between JSON values and the engine. Maps become views that answer for their own keys only,
 * so that `constructor` or `__proto__` in host data is a key like any other, and nothing is cloned.
 */

import type { Place } from '../errors.js';

/** Something went wrong while an expression ran on real values. On a host it is that host's trouble. */
export class EvaluationError extends Error {
  readonly source: string;
  /** Where the expression stands, when that is known. */
  readonly place?: Place;

  constructor(message: string, source: string, { place, ...options }: ErrorOptions & { place?: Place } = {}) {
    super(message, options);
    if (place) this.place = place;
    this.name = 'EvaluationError';
    this.source = source;
  }
}

export type ToEngine = (value: unknown) => unknown;

/** A converter for one evaluation; lists are converted once each, maps on access. */
export function createConverter(): ToEngine {
  const seen = new Map<object, unknown>();
  const convert = (value: unknown): unknown => {
    if (value === undefined) return null;
    if (value === null || typeof value !== 'object') {
      if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`a ${typeof value}`);
      return value;
    }
    const known = seen.get(value);
    if (known !== undefined) return known;
    const converted = Array.isArray(value) ? value.map(convert) : convertObject(value, convert);
    seen.set(value, converted);
    return converted;
  };
  return convert;
}

function convertObject(value: object, convert: ToEngine): unknown {
  if (value instanceof MapView || value instanceof Date) return value;
  if (value instanceof Map) return new MapView(Object.fromEntries(value), convert);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new TypeError(`a ${value.constructor?.name ?? 'object'}`);
  }
  return new MapView(value as Readonly<Record<string, unknown>>, convert);
}

/** A read-only Map over an object. */
class MapView extends Map<string, unknown> {
  readonly #source: Readonly<Record<string, unknown>>;
  readonly #convert: ToEngine;

  constructor(source: Readonly<Record<string, unknown>>, convert: ToEngine) {
    super();
    this.#source = source;
    this.#convert = convert;
  }

  get original(): Readonly<Record<string, unknown>> {
    return this.#source;
  }

  override get size(): number {
    return Object.keys(this.#source).length;
  }

  override has(key: string): boolean {
    return typeof key === 'string' && Object.hasOwn(this.#source, key) && this.#source[key] !== undefined;
  }

  override get(key: string): unknown {
    return this.has(key) ? this.#convert(this.#source[key]) : undefined;
  }

  override keys() {
    return new Map(Object.keys(this.#source).map((key) => [key, null])).keys();
  }

  override entries() {
    return new Map(Object.keys(this.#source).map((key) => [key, this.get(key)])).entries();
  }

  override values() {
    return new Map(Object.keys(this.#source).map((key) => [key, this.get(key)])).values();
  }

  override [Symbol.iterator]() {
    return this.entries();
  }
}
// The engine tells types apart by constructor identity; a view has to pass as a Map.
Object.defineProperty(MapView.prototype, 'constructor', { value: Map });

/** A value of the engine as JSON. Throws a plain Error that says what cannot be one. */
export function fromEngine(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint': {
      if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
        throw new RangeError('the number is too large');
      }
      return Number(value);
    }
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError('the result is not a finite number');
      return value;
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : fromEngineObject(value);
    default:
      throw new TypeError('the result is not a value');
  }
}

function fromEngineObject(value: object): unknown {
  if (value instanceof MapView) return value.original;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(fromEngine);
  if (value instanceof Map) {
    return Object.fromEntries(Array.from(value, ([key, item]) => [String(key), fromEngine(item)]));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromEngine(item)]));
  }
  // A duration prints as seconds, `90s`; nothing else of the engine has a text that means something.
  if (value.constructor.name === 'Duration') return String(value);
  throw new TypeError('the result is not text, a number, true or false, a list or a map');
}
