import { pathToFileURL } from 'node:url';
import { type Change, type RunResult, type Severity, severities } from '../result/result.schema.js';
import { escapeMarkdown, escapeText, printJson } from './escape.js';
import { formatExit } from './figures.js';
import { fixedIssuesOf, type Issue, issuesOf, isUncounted, repositoryFile } from './issues.js';
import { clip } from './layout.js';
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

/** GitHub refuses a file with more results in a run. */
const maxResults = 25_000;
/** GitHub refuses longer descriptions of a rule. */
const maxDescription = 1_000;

function logOf(result: RunResult): unknown {
  const { run, exit, warnings } = result;
  const all = [...issuesOf(result), ...fixedIssuesOf(result)];
  const issues = all.length > maxResults ? worstOf(all) : all;
  const left = all.length - issues.length;
  const notes = [...warnings, ...(left > 0 ? [`${left} more results are left out: see them in another format`] : [])];
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
            exitCodeDescription: escapeText(formatExit(exit)),
            startTimeUtc: run.startedAt,
            endTimeUtc: run.finishedAt,
            ...(notes.length > 0 && {
              toolExecutionNotifications: notes.map((note) => ({ level: 'warning', message: plain(note) })),
            }),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results: issues.map((issue) => resultOf(issue, places.get(issue.rule) ?? 0, result)),
        properties: { mode: run.mode, totals: result.totals },
      },
    ],
  };
}

function worstOf(issues: readonly Issue[]): readonly Issue[] {
  const rank = ({ severity, standing }: Issue) =>
    isUncounted({ standing }) || standing.change === 'fixed' ? -1 : severities.indexOf(severity);
  return [...issues].sort((a, b) => rank(b) - rank(a)).slice(0, maxResults);
}

function rulesOf(issues: readonly Issue[]) {
  const byRule = new Map<string, Issue>();
  for (const issue of issues) {
    const known = byRule.get(issue.rule);
    if (!known || severities.indexOf(issue.severity) > severities.indexOf(known.severity))
      byRule.set(issue.rule, issue);
  }
  // Code scanning of GitHub asks for both descriptions and for help.
  return [...byRule.values()].map(({ rule, title, severity, remedy }) => {
    const help = remedy ?? helpOf(rule);
    const description = plain(clip(title, maxDescription));
    return {
      id: rule,
      shortDescription: description,
      fullDescription: description,
      help: { text: plain(help).text, markdown: escapeMarkdown(help) },
      defaultConfiguration: { level: levels[severity] },
      properties: { 'security-severity': scores[severity], tags: ['operations'] },
    };
  });
}

function helpOf(rule: string): string {
  const kind = rule.split('/', 1)[0] ?? rule;
  return kind.includes('.') ? `What is looked at: opsctl steps ${kind}` : 'See the whole result: opsctl report';
}

/** A text in which nothing is a link: SARIF reads `[text](address)` in plain texts, too. */
function plain(text: string): { readonly text: string } {
  return { text: escapeText(text).replace(/\](?=\()/g, '] ') };
}

function resultOf(issue: Issue, ruleIndex: number, result: RunResult) {
  const { host, rule, severity, subject, text, remedy, outcome, fingerprint, standing } = issue;
  const { waived, soft, change, since } = standing;
  return {
    ruleId: rule,
    ruleIndex,
    ...(change === 'fixed' ? { kind: 'pass', level: 'none' } : { level: soft ? 'note' : levels[severity] }),
    message: plain(`${host}: ${text}${remedy === undefined ? '' : `\ndo: ${remedy}`}`),
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(result) }, region: { startLine: 1 } },
        logicalLocations: [{ name: subject, fullyQualifiedName: `${host}/${subject}`, kind: 'resource' }],
      },
    ],
    // GitHub knows results again by this name alone, and takes all of one rule and line for one without it.
    partialFingerprints: { 'opsctlIssue/v1': fingerprint, primaryLocationLineHash: fingerprint },
    ...(change && { baselineState: baseline[change] }),
    ...(waived && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: escapeText(waiverText(waived)) }],
    }),
    properties: { host, outcome, severity, ...(since !== undefined && { since }) },
  };
}

/** Relative to the root of the repository, or a `file:` address; readers refuse a result that is nowhere. */
function uriOf(result: RunResult): string {
  const inside = repositoryFile(result);
  if (inside !== undefined) return escapeText(inside).split('/').map(encodeURIComponent).join('/');
  return result.run.file?.startsWith('/') ? pathToFileURL(result.run.file).href : 'opsctl';
}
