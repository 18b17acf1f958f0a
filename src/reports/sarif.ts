import { pathToFileURL } from 'node:url';
import { type Change, type RunResult, type Severity, severities } from '../result/result.schema.js';
import { escapeText, printJson } from './escape.js';
import { fixedIssuesOf, type Issue, issuesOf, repositoryFile } from './issues.js';
import type { Report } from './report.js';
import { waiverText } from './standing.js';

export const sarif: Report = {
  name: 'sarif',
  summary: 'SARIF 2.1.0 for code scanning: everything that needs attention',
  machine: true,
  render: (result) => `${printJson(logOf(result), 2)}\n`,
};

type Level = 'note' | 'warning' | 'error';

const levels: Readonly<Record<Severity, Level>> = {
  info: 'note',
  low: 'note',
  medium: 'warning',
  high: 'error',
  critical: 'error',
};

const baseline: Readonly<Record<Change, string>> = { new: 'new', still: 'unchanged', fixed: 'absent' };

/** GitHub sorts by this number: above 0 low, from 4 medium, from 7 high, from 9 critical. */
const scores: Readonly<Record<Severity, string>> = {
  info: '0.0',
  low: '2.0',
  medium: '5.0',
  high: '8.0',
  critical: '9.5',
};

function logOf(result: RunResult): unknown {
  const { run, exit } = result;
  const issues = [...issuesOf(result), ...fixedIssuesOf(result)];
  const rules = rulesOf(issues);
  const places = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'opsctl', version: run.version, informationUri: 'https://opsctl.dev', rules },
        },
        // The part before the last slash tells one runbook from another, the rest one run from another.
        automationDetails: { id: `opsctl/${escapeText(run.runbook).replace(/\s+/g, '-')}/${run.id}` },
        invocations: [
          {
            executionSuccessful: run.stopped === undefined,
            exitCode: exit.code,
            startTimeUtc: run.startedAt,
            endTimeUtc: run.finishedAt,
          },
        ],
        columnKind: 'utf16CodeUnits',
        results: issues.map((issue) => resultOf(issue, places.get(issue.rule) ?? 0, result)),
        properties: { mode: run.mode, totals: result.totals },
      },
    ],
  };
}

function rulesOf(issues: readonly Issue[]) {
  const byRule = new Map<string, Issue>();
  for (const issue of issues) {
    const known = byRule.get(issue.rule);
    if (!known || severities.indexOf(issue.severity) > severities.indexOf(known.severity))
      byRule.set(issue.rule, issue);
  }
  return [...byRule.values()].map(({ rule, title, severity, remedy }) => ({
    id: rule,
    shortDescription: { text: title },
    ...(remedy !== undefined && { help: { text: remedy } }),
    defaultConfiguration: { level: levels[severity] },
    properties: { 'security-severity': scores[severity], tags: ['operations'] },
  }));
}

function resultOf(issue: Issue, ruleIndex: number, result: RunResult) {
  const { host, rule, severity, subject, text, remedy, outcome, fingerprint, standing } = issue;
  const { waived, soft, change, since } = standing;
  const uri = uriOf(result);
  return {
    ruleId: rule,
    ruleIndex,
    ...(change === 'fixed' ? { kind: 'pass', level: 'none' } : { level: soft ? 'note' : levels[severity] }),
    message: { text: `${host}: ${text}${remedy === undefined ? '' : `\ndo: ${remedy}`}` },
    locations: [
      {
        ...(uri !== undefined && {
          physicalLocation: { artifactLocation: { uri }, region: { startLine: 1 } },
        }),
        logicalLocations: [{ name: subject, fullyQualifiedName: `${host}/${subject}`, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'opsctlIssue/v1': fingerprint },
    ...(change && { baselineState: baseline[change] }),
    ...(waived && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: escapeText(waiverText(waived)) }],
    }),
    properties: { host, outcome, severity, ...(since !== undefined && { since }) },
  };
}

/** Relative to the root of the repository, or a `file:` address where the runbook is elsewhere. */
function uriOf(result: RunResult): string | undefined {
  const inside = repositoryFile(result);
  if (inside !== undefined) return inside.split('/').map(encodeURIComponent).join('/');
  return result.run.file?.startsWith('/') ? pathToFileURL(result.run.file).href : undefined;
}
