import { SaxesParser } from 'saxes';
import { depthLimit } from '../../../documents/limits.js';
import type { Find } from './formats.js';
import { TroubleError } from './trouble.js';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Well-formed XML. A DTD is not read: an entity that it would define is an error, so nothing expands. */
export function readXml(text: string): Find {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const parser = new SaxesParser<{ position: true; xmlns: false }>({ position: true, xmlns: false });
  const refuse = (what: string): never => {
    throw new TroubleError({ what, line: parser.line, column: parser.column });
  };
  const add = (said: string) => {
    const top = open.at(-1);
    if (top) top.text += said;
  };
  parser.on('error', (error) => {
    refuse(error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, ''));
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length > depthLimit) refuse(`nested deeper than ${depthLimit} levels`);
    const element: Element = { name, attributes, children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.on('text', add);
  parser.on('cdata', add);
  parser.write(text).close();
  return (at) => walk(root, parseXmlPath(at) ?? []);
}

type Step =
  | { readonly attribute: string }
  | { readonly element: string; readonly conditions: readonly (number | readonly [name: string, value: string])[] };

const stepPattern = /\/?(?:@([^/[\]@]+)|([^/[\]@]+)((?:\[(?:[1-9]\d*|@?[^\]='"]+=(?:'[^']*'|"[^"]*"))\])*))/y;
const conditionPattern = /\[(?:([1-9]\d*)|(@?[^\]='"]+)=(?:'([^']*)'|"([^"]*)"))\]/g;

/** `/a/b[2]/c[@id='x']/@attribute`; undefined when it is no such path. */
export function parseXmlPath(at: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < at.length) {
    const match = stepPattern.exec(at);
    if (!match) return undefined;
    const [, attribute, element = '', conditions = ''] = match;
    const last = steps.at(-1);
    if (last && 'attribute' in last) return undefined;
    steps.push(
      attribute !== undefined
        ? { attribute }
        : {
            element: element.trim(),
            conditions: [...conditions.matchAll(conditionPattern)].map(([, place, name = '', single, double]) =>
              place !== undefined ? Number(place) : ([name.trim(), single ?? double ?? ''] as const),
            ),
          },
    );
  }
  return steps.length === 0 ? undefined : steps;
}

function walk(root: Element, steps: readonly Step[]): readonly string[] {
  let found: readonly Element[] = [root];
  for (const step of steps) {
    if ('attribute' in step) {
      const { attribute } = step;
      return found.flatMap(({ attributes }) =>
        Object.hasOwn(attributes, attribute) ? [attributes[attribute] as string] : [],
      );
    }
    found = found.flatMap(({ children }) => {
      let chosen = children.filter(({ name }) => isNamed(name, step.element));
      for (const condition of step.conditions)
        chosen =
          typeof condition === 'number'
            ? chosen.slice(condition - 1, condition)
            : chosen.filter((element) => holds(element, condition));
      return chosen;
    });
  }
  return found.map(({ text }) => text.trim());
}

/** A name without a prefix is the same in every namespace. */
function isNamed(name: string, wanted: string): boolean {
  return wanted === '*' || name === wanted || name.slice(name.indexOf(':') + 1) === wanted;
}

function holds({ attributes, children }: Element, [name, value]: readonly [string, string]): boolean {
  if (name.startsWith('@')) return Object.hasOwn(attributes, name.slice(1)) && attributes[name.slice(1)] === value;
  return children.some((child) => isNamed(child.name, name) && child.text.trim() === value);
}
