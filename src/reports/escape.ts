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
  return escapeText(text)
    .replace(/[&<>"'\n\t]/g, (character) => xmlEntities[character] ?? character)
    .replace(runnerMark, '#&#35;');
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
  return (
    escapeLine(text)
      .replace(/&(?!\d)/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      // With a number, the first three are references of GitLab.
      .replace(/[&!%](?=\d)|[\\`*_{}[\]#|~$]/g, '\\$&')
      // At the start, these make a list or a rule.
      .replace(/^[-+=]/, '\\$&')
      .replace(/^(\d+)([.)])/, '$1\\$2')
      // GitHub and GitLab find people and issues after Markdown is read: no escape keeps them out, only a character between.
      .replace(/@(?=\w)|#(?=\d)|\bGH-(?=\d)/gi, '$&&#8203;')
      // Addresses are links without any markup. `:name:` is an emoji.
      .replace(/:(?=\/\/|[a-z\d+_-]+:)/gi, '&#58;')
      .replace(/\bwww\./gi, (found) => found.replace('.', '&#46;'))
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

/**
 * Escaped text of any length that holds no command of a CI runner. GitHub's reads `::name::` after leading
 * white space and `##[name]` anywhere in a line; Azure reads `##vso[`, TeamCity `##teamcity[`.
 */
export function guardLog(text: string): string {
  return text.replace(runnerMark, '#\\x23').replace(commandStart, '$1:\\x3a');
}

const runnerMark = /##(?=\[|vso\[|teamcity\[)/gi;
// Our own colours may stand between the margin and the text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences start with ESC
const commandStart = /^((?:[^\S\n]|\x1b\[[\d;]*m)*)::/gm;

/** JSON that shows what a string holds: no raw control, bidi or invisible character, no runner's command. */
export function printJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent)
    .replace(notPrintable, (character) =>
      [...Array(character.length).keys()].map((unit) => jsonUnit(character.charCodeAt(unit))).join(''),
    )
    .replace(runnerMark, '#\\u0023');
}

function jsonUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The message of a GitHub workflow command. */
export function escapeCommandMessage(text: string): string {
  return escapeText(text).replace(runnerMark, '#\\x23').replace(/%/g, '%25').replace(/\n/g, '%0A');
}

/** A property (`title=…`) of a GitHub workflow command. */
export function escapeCommandProperty(text: string): string {
  return escapeCommandMessage(escapeLine(text)).replace(/:/g, '%3A').replace(/,/g, '%2C');
}

/** Text in the first line of a monitoring plugin: no pipe, which starts the numbers. */
export function escapePlugin(text: string): string {
  return escapeLine(text).replace(/\|/g, '\\x7c');
}

/**
 * One field of RFC 4180 on one line. A spreadsheet calculates what starts like a formula, also after spaces
 * and in the full-width forms, and where the comma is for decimals it takes a semicolon for the end of a field:
 * an apostrophe makes it text.
 */
export function escapeCsv(text: string): string {
  const plain = escapeLine(text).replace(/(^|;)(?=\s*[=+\-@＝＋－＠])/g, "$1'");
  return /[",]|^\s|\s$/.test(plain) ? `"${plain.replace(/"/g, '""')}"` : plain;
}

/** The value of a Prometheus label, without its quotes. */
export function escapePrometheus(text: string): string {
  return escapeLine(text).replace(runnerMark, '#\\x23').replace(/[\\"]/g, '\\$&');
}
