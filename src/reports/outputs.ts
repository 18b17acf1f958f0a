import { distance } from 'fastest-levenshtein';
import { type ExitCode, exitCode, type Problem, UserError } from '../errors.js';
import type { RunResult } from '../result/result.schema.js';
import type { Terminal } from '../terminal.js';
import { reports } from './index.js';
import { nagiosExit } from './nagios.js';

/** Where a report goes: a file, or stdout when there is none. */
export interface Output {
  readonly format: string;
  readonly file?: string;
}

/** Writes a whole file or none. Paths come as the user gave them. */
export type WriteFile = (file: string, text: string, mode?: number) => Promise<void>;

/**
 * Reads `-o FORMAT[=FILE]` flags. All mistakes at once, before any host is contacted.
 *
 * @example parseOutputs(['table', 'junit=out.xml'])
 */
export function parseOutputs(flags: readonly string[]): readonly Output[] {
  const problems: Problem[] = [];
  const outputs = flags.map((flag): Output => {
    const equals = flag.indexOf('=');
    const format = equals < 0 ? flag : flag.slice(0, equals);
    const file = equals < 0 ? undefined : flag.slice(equals + 1);
    if (!Object.hasOwn(reports, format)) problems.push(unknownFormat(format));
    if (file === '')
      problems.push({
        code: 'E_OUTPUT_FILE',
        what: `\`-o ${flag}\` names no file`,
        hint: `write \`-o ${format}=FILE\``,
      });
    return file === undefined || file === '-' ? { format } : { format, file };
  });
  problems.push(...collisions(outputs));
  if (problems.length > 0) throw new UserError(problems);
  return outputs.length === 0 ? [{ format: 'table' }] : outputs;
}

function unknownFormat(format: string): Problem {
  const known = Object.keys(reports);
  const near = known
    .map((name) => ({ name, edits: distance(format.toLowerCase(), name) }))
    .filter(({ name, edits }) => edits <= Math.max(1, name.length / 3))
    .sort((a, b) => a.edits - b.edits)[0];
  return {
    code: 'E_OUTPUT_FORMAT',
    what: `unknown report format "${format}"`,
    hint: `${near ? `did you mean "${near.name}"? ` : ''}formats are ${known.join(', ')}`,
  };
}

function collisions(outputs: readonly Output[]): readonly Problem[] {
  const onStdout = outputs.filter(({ file }) => file === undefined).map(({ format }) => format);
  const files = outputs.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const twice = files.filter((file, index) => files.indexOf(file) < index);
  return [
    ...(onStdout.length > 1
      ? [
          {
            code: 'E_OUTPUT_TWICE' as const,
            what: `${onStdout.join(' and ')} cannot share standard output`,
            hint: `give all but one a file: \`-o ${onStdout[1]}=FILE\``,
          },
        ]
      : []),
    ...[...new Set(twice)].map((file) => ({
      code: 'E_OUTPUT_TWICE' as const,
      what: `two reports would be written to ${file}`,
      hint: 'choose another file for one of them',
    })),
  ];
}

/**
 * Renders and writes every output. One that fails does not keep the others from being written; the error
 * at the end names all that failed, exit 74.
 */
export async function writeOutputs(
  result: RunResult,
  outputs: readonly Output[],
  terminal: Terminal,
  writeFile: WriteFile,
  options: { readonly verbose?: boolean } = {},
): Promise<void> {
  const failures: { readonly problems: readonly Problem[]; readonly cause: unknown }[] = [];
  for (const { format, file } of outputs) {
    const load = reports[format];
    if (!load) throw new Error(`no report format ${format}`);
    const report = await load();
    const toScreen = file === undefined && terminal.stdoutIsTty;
    const text = report.render(result, {
      color: file === undefined && terminal.color && !report.machine,
      width: toScreen ? terminal.width : 100,
      verbose: options.verbose ?? false,
    });
    try {
      await (file === undefined ? terminal.out(text) : writeFile(file, text, report.fileMode));
    } catch (error) {
      failures.push({ problems: problemsOf(error, file), cause: error });
    }
  }
  const [first] = failures;
  if (first)
    throw new UserError(
      failures.flatMap(({ problems }) => problems),
      exitCode.output,
      { cause: first.cause },
    );
}

function problemsOf(error: unknown, file: string | undefined): readonly Problem[] {
  if (error instanceof UserError) return error.problems;
  const where = file ?? 'standard output';
  const hint = 'free space or choose another file; the run itself is kept: `opsctl report`';
  return [{ code: 'E_OUTPUT', what: `${where}: ${(error as Error).message}`, hint }];
}

/** The exit code of the process: the run's own, unless a monitoring daemon reads stdout and knows only 0 to 3. */
export function exitFor(result: RunResult, outputs: readonly Output[]): ExitCode {
  const forDaemon = outputs.some(({ format, file }) => format === 'nagios' && file === undefined);
  return forDaemon ? nagiosExit(result) : (result.exit.code as ExitCode);
}
