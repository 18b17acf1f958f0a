import { escapeXml } from './escape.js';

const safe = Symbol('safe');

/** Text that is markup already. Only `html` makes it. */
export interface Html {
  readonly [safe]: string;
  toString(): string;
}

type Value = string | number | Html | readonly Html[];

/** Markup in which every value is escaped, unless it is markup itself. Attributes stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] ?? '';
  for (let index = 0; index < values.length; index++) text += printed(values[index] ?? '') + parts[index + 1];
  return asIs(text);
}

function printed(value: Value): string {
  if (Array.isArray(value)) return value.map(String).join('');
  return typeof value === 'object' && safe in value ? value[safe] : escapeXml(String(value));
}

/** Text of our own that is markup already: the style and the script of a page. Never what a host said. */
export function asIs(text: string): Html {
  return { [safe]: text, toString: () => text };
}
