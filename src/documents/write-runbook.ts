import { Document, isMap, isScalar, Scalar, visit, type YAMLMap } from 'yaml';

/** A runbook to be written. Its texts are data of hosts: they never become expressions, nor YAML. */
export interface RunbookDraft {
  /** Lines of comment above all. */
  readonly header: readonly string[];
  readonly head: Readonly<Record<string, unknown>>;
  readonly steps: readonly DraftStep[];
  /** Lines of comment below all. */
  readonly footer: readonly string[];
}

export interface DraftStep {
  readonly comment: readonly string[];
  readonly step: Readonly<Record<string, unknown>>;
}

/** Longer mappings get a line for each key. */
const flowWidth = 100;

/** The text of a runbook. Comment lines must be printable and hold no line end. */
export function writeRunbook({ header, head, steps, footer }: RunbookDraft): string {
  const document = new Document(asLiteral({ ...head, steps: steps.map(({ step }) => step) }));
  visit(document, { Scalar: (_, scalar) => quoteScalar(scalar) });
  const items = (document.getIn(['steps']) as { items: YAMLMap[] }).items;
  for (const [index, item] of items.entries()) {
    const { comment = [], step } = steps[index] ?? {};
    if (comment.length > 0) item.commentBefore = comment.map((line) => (line === '' ? '' : ` ${line}`)).join('\n');
    item.spaceBefore = comment.length > 0 && index > 0;
    for (const key of Object.keys(step ?? {})) {
      const node = item.get(key, true) as unknown;
      if (key === 'tags' || (isMap(node) && JSON.stringify(node).length < flowWidth)) (node as YAMLMap).flow = true;
    }
  }
  return `${asComment(header)}${document.toString({ lineWidth: 0 })}${footer.length > 0 ? `\n${asComment(footer)}` : ''}`;
}

/** A value on one line, for a comment. */
export function writeOnOneLine(value: Readonly<Record<string, unknown>>): string {
  const document = new Document(asLiteral(value), { version: '1.2' });
  visit(document, { Scalar: (_, scalar) => quoteScalar(scalar) });
  (document.contents as unknown as YAMLMap).flow = true;
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function asComment(lines: readonly string[]): string {
  return lines.map((line) => `${`# ${line}`.trimEnd()}\n`).join('');
}

/** `${{` in data is text. */
function asLiteral(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${{', () => '$${{');
  if (Array.isArray(value)) return value.map(asLiteral);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asLiteral(item)]));
}

/** Plain only what no reader of YAML, old or new, takes for anything but text. */
const plainText = /^(?:[A-Za-z_/][\w./@+-]*)(?: [\w./@+-]+)*$/;
const otherMeaning = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function quoteScalar(scalar: unknown): void {
  if (!isScalar(scalar) || typeof scalar.value !== 'string') return;
  const isPlain = plainText.test(scalar.value) && !otherMeaning.test(scalar.value);
  scalar.type = isPlain ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE;
}
