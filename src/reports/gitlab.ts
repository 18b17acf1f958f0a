import type { RunResult, Severity } from '../result/result.schema.js';
import { printJson } from './escape.js';
import { type Issue, issuesOf, isUncounted, repositoryFile } from './issues.js';
import type { Report } from './report.js';

export const gitlab: Report = {
  name: 'gitlab',
  summary: 'Code Quality report for merge requests in GitLab',
  machine: true,
  render: (result) => `${printJson(issuesOf(result).map(entryOf(result)), 2)}\n`,
};

const severities: Readonly<Record<Severity, string>> = {
  info: 'info',
  low: 'minor',
  medium: 'major',
  high: 'critical',
  critical: 'blocker',
};

function entryOf(result: RunResult): (issue: Issue) => unknown {
  // GitLab wants a path in the repository; nothing links to one that is not there.
  const path = repositoryFile(result) ?? 'opsctl';
  return ({ host, rule, severity, text, remedy, fingerprint, standing }) => ({
    description: `${host}: ${text}${remedy === undefined ? '' : `\ndo: ${remedy}`}`,
    check_name: rule,
    fingerprint,
    severity: severities[isUncounted({ standing }) ? 'info' : severity],
    location: { path, lines: { begin: 1 } },
  });
}
