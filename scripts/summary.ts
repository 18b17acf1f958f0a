/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly title: string;
    }[];
  }[];
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** One line a suite: where it is, its title, which names what is missing, and how many tests. */
  readonly skipped: readonly string[];
}

/**
 * Counts what a vitest run proved. `status` is its exit status; no report at all means that vitest stopped before
 * it could write one.
 */
export function summarise(
  report: VitestReport | undefined,
  options: { readonly status: number; readonly root: string; readonly allowSkipped: boolean },
): Summary {
  if (!report) return { passed: 0, failed: 1, skipped: [] };
  const skipped = skippedSuites(report, options.root);
  // A file that does not load and an error outside a test have no failed test of their own.
  const unloaded = report.testResults.filter(
    (suite) => suite.status === 'failed' && !suite.assertionResults.some((one) => one.status === 'failed'),
  ).length;
  const counted = report.numFailedTests + unloaded + (options.allowSkipped ? 0 : skipped.length);
  return { passed: report.numPassedTests, failed: Math.max(counted, options.status === 0 ? 0 : 1), skipped };
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
