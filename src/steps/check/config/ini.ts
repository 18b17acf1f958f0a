import { partsOf } from '../tree.js';
import type { Find } from './formats.js';
import { TroubleError } from './trouble.js';

interface Entry {
  /** Empty above the first section. */
  readonly section: string;
  readonly key: string;
  value: string;
}

/**
 * Sections and keys as most programs read them: `#` and `;` start a comment at the start of a line, a `\` at its end goes
 * on in the next one, and so does an indented line without a `=`. What stands behind a value is part of it.
 */
export function readIni(text: string): Find {
  const entries: Entry[] = [];
  let section = '';
  for (const { line, number } of logicalLines(text, /^\s*[#;]/)) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    if (trimmed.startsWith('[')) {
      const name = /^\[([^\]]*)\]\s*(?:[#;].*)?$/.exec(trimmed)?.[1];
      if (name === undefined) throw new TroubleError({ what: 'a section without its "]"', line: number });
      section = name.trim();
      continue;
    }
    const last = entries.at(-1);
    if (/^\s/.test(line) && !trimmed.includes('=') && last?.section === section) {
      last.value += `${last.value === '' ? '' : '\n'}${unquoted(trimmed)}`;
      continue;
    }
    const equals = trimmed.search(/[=:]/);
    const key = equals === -1 ? trimmed : trimmed.slice(0, equals).trimEnd();
    const value = equals === -1 ? '' : trimmed.slice(equals + 1).trimStart();
    if (key === '') throw new TroubleError({ what: 'a value without a key', line: number });
    entries.push({ section, key, value: unquoted(value) });
  }
  return (at) => valuesOf(entries, placesOf(at));
}

/** `KEY=VALUE`, `KEY: VALUE` or `KEY VALUE` a line, as in environment files, os-release, properties, sshd_config. */
export function readKeyValue(text: string): Find {
  const entries: Entry[] = [];
  for (const { line, number } of logicalLines(text, /^\s*[#;!]/)) {
    const trimmed = line.trim().replace(/^export\s+(?=\S+=)/, '');
    if (trimmed === '') continue;
    const match = /^([^\s=:][^\s=]*?)(?:\s*=\s*|\s*:\s+|:(?=\S)|\s+|:?$)(.*)$/.exec(trimmed);
    if (!match) throw new TroubleError({ what: 'a value without a key', line: number });
    entries.push({ section: '', key: match[1] as string, value: unquoted((match[2] as string).trim()) });
  }
  return (at) => valuesOf(entries, [['', at]]);
}

function valuesOf(entries: readonly Entry[], places: readonly (readonly [section: string, key: string])[]) {
  for (const [section, key] of places) {
    const found = entries.filter((entry) => entry.section === section && entry.key === key);
    if (found.length > 0) return found.map(({ value }) => value);
  }
  return [];
}

/** Sections and keys may both hold dots, so `a.b.c` has several readings. The longest section that is there counts. */
function placesOf(at: string): readonly (readonly [string, string])[] {
  if (at.startsWith('/')) {
    const parts = partsOf(at);
    return [[parts.slice(0, -1).join('/'), parts.at(-1) ?? '']];
  }
  const dots = [...at.matchAll(/\./g)].map(({ index }) => index).reverse();
  return [...dots.map((dot) => [at.slice(0, dot), at.slice(dot + 1)] as const), ['', at]];
}

function logicalLines(text: string, comment: RegExp): { readonly line: string; readonly number: number }[] {
  const lines: { line: string; number: number }[] = [];
  let open = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (!open && comment.test(line)) continue;
    const goesOn = /(?:^|[^\\])(?:\\\\)*\\$/.test(line);
    const content = goesOn ? line.slice(0, -1) : line;
    const last = lines.at(-1);
    if (open && last) last.line += content.trimStart();
    else lines.push({ line: content, number: index + 1 });
    open = goesOn;
  }
  return lines;
}

function unquoted(value: string): string {
  return /^(["']).*\1$/s.test(value) && value.length > 1 ? value.slice(1, -1) : value;
}
