/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly ancestorTitles: readonly string[];
    readonly title: string;
  }[];
}

/** A vitest run: `status` is its exit status; no report at all means that vitest stopped before it could write one. */
export interface Run {
  readonly report: VitestReport | undefined;
  readonly status: number;
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** One line a suite: where it is, its title, which names what is missing, and how many tests. */
  readonly skipped: readonly string[];
}

/** Counts what a vitest run proved. */
export function summarise(
  { report, status }: Run,
  options: { readonly root: string; readonly allowSkipped: boolean },
): Summary {
  if (!report) return { passed: 0, failed: 1, skipped: [] };
  const skipped = skippedSuites(report, options.root);
  const counted = report.testResults.reduce((sum, file) => sum + failuresOf(file), 0);
  const failed = counted + (options.allowSkipped ? 0 : skipped.length);
  const passed = report.testResults.reduce((sum, file) => sum + count(file, 'passed'), 0);
  return { passed, failed: Math.max(failed, status === 0 ? 0 : 1), skipped };
}

/** The files with a failure. An error that belongs to no file is in none of them: `status` alone tells of it. */
export function failedFiles({ report }: Run): readonly string[] {
  return (report?.testResults ?? []).filter((file) => failuresOf(file) > 0).map(({ name }) => name);
}

/** `first` with what `again`, a second run of its failed files, has of them. */
export function withSecondTry(first: Run, again: Run): Run {
  if (!first.report || !again.report) return first;
  const second = new Map(again.report.testResults.map((file) => [file.name, file]));
  const testResults = first.report.testResults.map((file) => second.get(file.name) ?? file);
  return { report: { testResults }, status: again.status };
}

/** A file that does not load and an error outside a test have no failed test of their own. */
function failuresOf(file: FileResult): number {
  return count(file, 'failed') || (file.status === 'failed' ? 1 : 0);
}

function count(file: FileResult, status: string): number {
  return file.assertionResults.filter((one) => one.status === status).length;
}

function skippedSuites(report: VitestReport, root: string): string[] {
  const counts = new Map<string, number>();
  for (const { name, status: fileStatus, assertionResults } of report.testResults)
    for (const { status, ancestorTitles, title } of assertionResults) {
      // The tests of a file whose set-up failed are "skipped" too; that file counts as failed already.
      if (status === 'passed' || status === 'failed' || fileStatus === 'failed') continue;
      const suite = `${name.replace(root, '')}: ${ancestorTitles[0] ?? title}`;
      counts.set(suite, (counts.get(suite) ?? 0) + 1);
    }
  return [...counts].map(([suite, tests]) => `${suite}, ${tests} ${tests === 1 ? 'test' : 'tests'}`);
}
