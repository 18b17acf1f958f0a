/**
 * What a host said, made harmless for the medium it lands in. Every function here is an allow-list: what
 * is not known to be harmless becomes visible text such as `\x1b` or `\u{202e}`.
 */

const plainAscii = /^[\n\t\x20-\x7e]*$/;

// Letters, marks, numbers, punctuation, symbols and spaces, but nothing that is there to be invisible:
// controls, bidi and zero-width marks, fillers, lone surrogates, unassigned and private code points.
const notPrintable = /[^\n\t\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]|\p{Default_Ignorable_Code_Point}/gu;

/** Only printable characters, `\n` and `\t`. Escaping twice changes nothing. */
export function escapeText(text: string): string {
  return plainAscii.test(text) ? text : text.replace(notPrintable, visible);
}

/** The same on one line. */
export function escapeLine(text: string): string {
  return escapeText(text).replace(/[\n\t]/g, (character) => (character === '\t' ? ' ' : '\\x0a'));
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Text of an XML element or of an attribute in double quotes. */
export function escapeXml(text: string): string {
  return escapeText(text).replace(/[&<>"'\n\t]/g, (character) => xmlEntities[character] ?? character);
}

// Line ends and tabs stay themselves: a parser would turn them into spaces in an attribute.
const xmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** Inline Markdown on one line, in a table cell or out: no markup, link, HTML, mention or issue reference. */
export function escapeMarkdown(text: string): string {
  return breakReferences(
    escapeLine(text)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/[\\`*_{}[\]()#+!|~$=:-]/g, '\\$&')
      // A number and a dot at the start would be a list.
      .replace(/^(\d+)\./, '$1\\.'),
  );
}

/** A fenced code block that its content cannot end. */
export function fenceMarkdown(text: string): string {
  const body = escapeText(text).replace(/\n$/, '');
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${body}\n${fence}`;
}

/** A code span that its content cannot end. */
export function codeMarkdown(text: string): string {
  const body = escapeLine(text).replace(/\|/g, '\\|');
  const longest = Math.max(0, ...[...body.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = body === '' || /^[` ]|[` ]$/.test(body) ? ' ' : '';
  return `${ticks}${pad}${body}${pad}${ticks}`;
}

// `@name` and `www.` are linked by GitHub and GitLab even when escaped; an entity stops that.
function breakReferences(text: string): string {
  return text.replace(/@/g, '&#64;').replace(/\bwww\./gi, (found) => found.replace('.', '&#46;'));
}

/**
 * One line of a CI log that is not a command there. GitHub's runner reads `::name::` after leading white
 * space and `##[name]` anywhere in a line; Azure reads `##vso[`, TeamCity `##teamcity[`.
 */
export function escapeLogLine(text: string): string {
  const line = escapeLine(text).replace(/##(?=\[|vso\[|teamcity\[)/gi, '#\\x23');
  return /^\s*::/.test(line) ? line.replace('::', ':\\x3a') : line;
}

/** The message of a GitHub workflow command. */
export function escapeCommandMessage(text: string): string {
  return escapeText(text)
    .replace(/##(?=\[|vso\[|teamcity\[)/gi, '#\\x23')
    .replace(/%/g, '%25')
    .replace(/\n/g, '%0A');
}

/** A property (`title=…`) of a GitHub workflow command. */
export function escapeCommandProperty(text: string): string {
  return escapeCommandMessage(escapeLine(text)).replace(/:/g, '%3A').replace(/,/g, '%2C');
}

/** Text in the first line of a monitoring plugin: no pipe, which starts the numbers. */
export function escapePlugin(text: string): string {
  return escapeLine(text).replace(/\|/g, '\\x7c');
}
