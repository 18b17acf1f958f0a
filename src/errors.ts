/**
 * The two kinds of trouble that reach `main.ts`: a UserError (the user can fix it: one sentence, its
 * place, the way out, no stack) and anything else, which is a bug (stack, exit 70).
 * Trouble on one host is neither: it is that host's result (see result/result.ts).
 */

/** Process exit codes. The table in README.md is the published contract. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  unknown: 3,
  unreachable: 4,
  refused: 5,
  bug: 70,
  output: 74,
  locked: 75,
  deadline: 124,
  hangup: 129,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Where in a file something is wrong. Lines and columns count from 1; columns count characters. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The whole source line, without its line end, for the caret display. */
  readonly source?: string;
  /** How many characters the caret underlines; 1 when absent. */
  readonly length?: number;
}

export interface Problem {
  /** Stable code, such as `E_KEY_UNKNOWN`; docs/errors.md lists them. */
  readonly code: `E_${string}`;
  /** What is wrong, lower case, no full stop. */
  readonly what: string;
  /** The way out, imperative, lower case, no full stop. */
  readonly hint?: string;
  readonly place?: Place;
}

/** One or more problems that the user can fix. Thrown before any host is contacted unless `exit` says otherwise. */
export class UserError extends Error {
  readonly problems: readonly Problem[];
  readonly exit: ExitCode;

  constructor(problems: Problem | readonly Problem[], exit: ExitCode = exitCode.usage, options?: ErrorOptions) {
    const list: readonly Problem[] = Array.isArray(problems) ? problems : [problems as Problem];
    super(list.map(problemLine).join('\n'), options);
    this.name = 'UserError';
    this.problems = list;
    this.exit = exit;
  }
}

/** `E_CODE file:line:col what; hint`, the first line of a problem as printed. */
export function problemLine(problem: Problem): string {
  const { code, what, hint, place } = problem;
  const where = place
    ? `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')} `
    : '';
  return `${code} ${where}${what}${hint ? `; ${hint}` : ''}`;
}

/** The problem as shown to a person: the line, then the source line with a caret under the spot. */
export function formatProblem(problem: Problem): string {
  const head = `opsctl: ${problemLine(problem)}`;
  const { place } = problem;
  if (place?.source === undefined || place.line === undefined || place.column === undefined) return head;
  const gutter = String(place.line);
  const { source, column } = excerpt(place.source, place.column);
  const before = source.slice(0, column - 1).replace(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(place.length ?? 1, source.length - column + 1)));
  return `${head}\n  ${gutter} | ${source}\n  ${' '.repeat(gutter.length)} | ${before}${carets}`;
}

/** All problems as shown to a person. A file of a program can have one for every line: the first hundred are told. */
export function formatProblems(problems: readonly Problem[]): string {
  const told = 100;
  const rest = problems.length - told;
  const more = rest > 0 ? [`opsctl: and ${rest} more ${rest === 1 ? 'problem' : 'problems'}`] : [];
  return [...problems.slice(0, told).map(formatProblem), ...more].join('\n');
}

/** A line that fits on a screen: files that a program wrote have lines of megabytes. */
function excerpt(source: string, column: number): { source: string; column: number } {
  const width = 160;
  if (source.length <= width) return { source, column };
  const start = Math.max(0, Math.min(column - 1 - width / 2, source.length - width));
  const end = start + width;
  const head = start > 0 ? '…' : '';
  const tail = end < source.length ? '…' : '';
  return { source: `${head}${source.slice(start, end)}${tail}`, column: column - start + head.length };
}
