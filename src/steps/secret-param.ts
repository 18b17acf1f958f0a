import type { JsonSchema } from '../documents/json-schema.js';
import { Secret } from '../secrets/secret.js';

/** Schema of a text that may also be a secret, or a number that an expression gives. The engine hands a Secret to the kind in place of the reference. */
export function textOrSecret<const D extends string>(description: D) {
  return {
    type: ['string', 'number', 'boolean', 'object'],
    description,
    properties: {
      secret: {
        type: 'string',
        pattern: '^(env|file|exec):.+',
        description: 'Where the secret comes from: `env:NAME`, `file:PATH` or `exec:COMMAND`.',
      },
    },
    required: ['secret'],
    additionalProperties: false,
  } as const satisfies JsonSchema;
}

/** The same parameter as a kind sees it. */
export type TextOrSecret = string | number | boolean | Secret;

/** Whether there is a secret among arguments: a word that the probes of commands take before them. */
export function secrecyOf(values: readonly TextOrSecret[]): 'secret' | 'plain' {
  return values.some((value) => value instanceof Secret) ? 'secret' : 'plain';
}

/** Uses a text that may be a secret, or absent. */
export function withPlain<R>(value: string | Secret, use: (plain: string) => R): R;
export function withPlain<R>(value: string | Secret | undefined, use: (plain?: string) => R): R;
export function withPlain<R>(value: string | Secret | undefined, use: (plain: string) => R): R {
  return value instanceof Secret ? value.reveal(use) : use(value as string);
}

/** The text that a host or server gets; a number from an expression becomes its text. */
export function plainText(value: TextOrSecret): string | Secret {
  return value instanceof Secret ? value : String(value);
}
