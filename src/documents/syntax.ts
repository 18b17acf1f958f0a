import { type Document, isScalar, visit, type YAMLParseError } from 'yaml';
import type { Problem } from '../errors.js';
import type { Source } from './source.js';

/**
 * The library's syntax errors as problems. One slip often sets off a row of errors, so only the first one is
 * told, and tabs, each of which is a slip of its own.
 */
export function explainSyntax(documents: readonly Document.Parsed[], source: Source): Problem[] {
  const errors = documents.flatMap((document) => document.errors).sort((a, b) => a.pos[0] - b.pos[0]);
  const problems: Problem[] = [];
  const lines = new Set<number>();
  // A file that is no YAML at all has errors by the thousand, and what follows costs time for each.
  for (const error of errors.slice(0, 100)) {
    const tab = tabOfIndentation(error, source);
    if (problems.length > 0 && tab === undefined) continue;
    const start = tab ?? (isOpenQuote(error) ? lastQuote(documents) : undefined);
    const place = start === undefined ? source.place(error.pos[0], error.pos[1]) : source.place(start);
    if (lines.has(place.line ?? 0)) continue;
    lines.add(place.line ?? 0);
    if (tab !== undefined) {
      problems.push({ code: 'E_YAML_TAB', what: 'a tab is used for indentation', hint: 'use spaces', place });
    } else problems.push({ code: 'E_YAML_SYNTAX', ...explain(error, place.source ?? '', place.column ?? 1), place });
  }
  return problems;
}

function tabOfIndentation(error: YAMLParseError, { text }: Source): number | undefined {
  const lineStart = text.lastIndexOf('\n', Math.max(0, error.pos[0] - 1)) + 1;
  const indentation = /^[ \t]*/.exec(text.slice(lineStart, lineStart + 1000))?.[0] ?? '';
  const tab = indentation.indexOf('\t');
  return tab !== -1 && (error.code === 'TAB_AS_INDENT' || error.pos[0] <= lineStart + indentation.length)
    ? lineStart + tab
    : undefined;
}

function explain(error: YAMLParseError, line: string, column: number): { what: string; hint?: string } {
  if (line.includes('${{') && error.code === 'UNEXPECTED_TOKEN') {
    return { what: 'an expression inside { } needs quotes', hint: 'write "${{ … }}"' };
  }
  // The library blames the first character of such a line, for several reasons that come down to one.
  if (column === 1 && /^\s/.test(line)) return misaligned;
  switch (error.code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
      return { what: 'a second ": " on one line', hint: 'quote a value that contains ": "' };
    case 'MULTILINE_IMPLICIT_KEY':
      return { what: 'a key without ": " after it', hint: 'write KEY: VALUE, or quote text of several lines' };
    case 'BAD_SCALAR_START':
      return {
        what: `a value cannot start with ${line[0] === undefined ? 'this' : quoted(error)}`,
        hint: 'quote the value',
      };
    case 'BAD_DQ_ESCAPE':
      return { what: 'an escape that YAML does not know', hint: "write a backslash as \\\\, or use 'single quotes'" };
    case 'MISSING_CHAR':
      if (isOpenQuote(error)) return { what: 'text without a closing quote', hint: 'close it' };
      return {
        what: 'expected KEY: VALUE',
        hint: 'add ": " after the key, or indent text that belongs to the line above',
      };
    case 'BAD_INDENT': {
      const open = /Flow (map|sequence)/.exec(error.message)?.[1];
      if (open) {
        const close = open === 'map' ? '}' : ']';
        return {
          what: `a ${open === 'map' ? 'map' : 'list'} without a closing "${close}"`,
          hint: 'close it, and indent its lines',
        };
      }
      return misaligned;
    }
    case 'BLOCK_IN_FLOW':
      return { what: 'a block inside { } or [ ]', hint: 'write it as { } or [ ] too' };
    case 'ALIAS_PROPS':
      return { what: 'an alias takes no tag and no anchor', hint: 'remove it' };
    case 'BAD_ALIAS':
      return { what: 'an anchor or alias with a bad name', hint: 'quote text that starts with * or &' };
    default:
      return {
        what: lowerFirst(error.message.replace(/\.$/, '')),
        hint: 'quote text that contains special characters',
      };
  }
}

const misaligned = {
  what: 'the indentation fits no line above',
  hint: 'align it with the key or item that it belongs to',
};

function isOpenQuote(error: YAMLParseError): boolean {
  return error.code === 'MISSING_CHAR' && /closing .*quote/i.test(error.message);
}

/** Text without a closing quote takes in all that follows, so it is the last one. */
function lastQuote(documents: readonly Document.Parsed[]): number | undefined {
  let start: number | undefined;
  for (const document of documents) {
    visit(document, (_key, node) => {
      if (isScalar(node) && node.range && node.type?.startsWith('QUOTE')) start = Math.max(start ?? 0, node.range[0]);
    });
  }
  return start;
}

function quoted(error: YAMLParseError): string {
  const character = /character (\S)/.exec(error.message)?.[1];
  return character ? `"${character}"` : 'this character';
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
