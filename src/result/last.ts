import { stepKey } from './fold.js';
import {
  type Finding,
  type HostResult,
  type Outcome,
  outcomes,
  type RunResult,
  type StepResult,
} from './result.schema.js';
import { isBad, repeatsHost } from './standing.js';

/** How the steps of a runbook stood at the end of its last run, host by host. */
export interface LastStates {
  readonly schema: 'opsctl.last/1';
  readonly hosts: Readonly<Record<string, LastHost>>;
}

export interface LastHost {
  /** The run that saw it last, and when that began. */
  readonly run: string;
  readonly at: string;
  /** Why the host as a whole could not be worked on. */
  readonly trouble?: LastState & { readonly reason: string };
  readonly steps: Readonly<Record<string, LastState>>;
}

export interface LastState {
  /** What it is the state of, as `subjectOf` says; absent where an older version wrote it. */
  readonly of?: string;
  /** `ok` for all that is good. */
  readonly outcome: Outcome;
  /** The first run, of those in a row, that saw it so. */
  readonly since: string;
  /** How many runs in a row it was bad. */
  readonly bad: number;
  /** Since when each finding is there; `many` of them are not compared. */
  readonly findings?: Readonly<Record<string, string>> | 'many';
}

export const noLastStates: LastStates = { schema: 'opsctl.last/1', hosts: {} };

/** Whether all of it is as this version writes it. */
export function isLastStates(value: unknown): value is LastStates {
  const { schema, hosts } = record(value) ?? {};
  return schema === noLastStates.schema && everyValue(hosts, isHost);
}

/** The host in it, whatever it is called. */
export function lastOfHost({ hosts }: LastStates, name: string): LastHost | undefined {
  return Object.hasOwn(hosts, name) ? hosts[name] : undefined;
}

function isHost(value: unknown): boolean {
  const { run, at, trouble, steps } = record(value) ?? {};
  const isTrouble = trouble === undefined || (isState(trouble) && typeof record(trouble)?.reason === 'string');
  return isText(run) && isTime(at) && isTrouble && everyValue(steps, isState);
}

function isState(value: unknown): boolean {
  const { of, outcome, since, bad, findings } = record(value) ?? {};
  const isSubject = of === undefined || typeof of === 'string';
  const areFindings = findings === undefined || findings === 'many' || everyValue(findings, isText);
  return (
    isSubject && outcomes.some((known) => known === outcome) && isText(since) && Number.isInteger(bad) && areFindings
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTime(value: unknown): boolean {
  return isText(value) && !Number.isNaN(Date.parse(value as string));
}

function everyValue(value: unknown, fits: (value: unknown) => boolean): boolean {
  const entries = record(value);
  return entries !== undefined && Object.values(entries).every(fits);
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** More findings of one step than this are not kept. */
const maxFindings = 500;
/** In as many runs in a row everything counts that is bad: the most of `hard-after`. */
const longBad = 100;
/** A host that no run saw for so long is forgotten, and the oldest of more hosts than this. */
const keepFor = 400 * 86_400_000;
const maxHosts = 20_000;

/** The outcomes that say something of what the step looks at. */
const evaluated: readonly Outcome[] = ['ok', 'changed', 'warning', 'failed'];

/**
 * The result with what is known from the last run. A host that no run has seen yet has nothing that is new:
 * nobody can say since when it is so.
 */
export function compareStep(
  step: StepResult,
  host: LastHost | undefined,
  { at, hardAfter }: { readonly at: string; readonly hardAfter: number },
): StepResult {
  const bare = withoutChanges(step);
  if (step.outcome === 'skipped') return bare;
  const before = stateBefore(step, host);
  const state = nextState(step, before, at);
  // A host that is lost or refused is known to be, and what is waived does not count anyway.
  const hardFrom = !step.waived && ['failed', 'warning', 'unknown'].includes(step.outcome) ? hardAfter : 1;
  const soft = state.bad > 0 && state.bad < hardFrom ? { soft: { run: state.bad, of: hardFrom } } : {};
  if (!host) return { ...bare, ...soft };
  const change = changeOf(state, before, hardFrom);
  const gone = goneFindings(step, before);
  // Nearly every result, of nearly every run.
  if (!change && gone.length === 0 && state.bad === 0 && bare.findings.length === 0) return bare;
  return {
    ...bare,
    ...soft,
    ...(change && { change, since: state.since }),
    ...(gone.length > 0 && { gone }),
    findings: bare.findings.map((finding) => ({ ...finding, ...findingChange(finding, before, at) })),
  };
}

/** The same of what is wrong with a host as a whole. */
export function compareHost(
  host: Pick<HostResult, 'outcome' | 'reason'>,
  last: LastHost | undefined,
  at: string,
): Pick<HostResult, 'change' | 'since'> {
  if (!last) return {};
  if (host.reason === undefined) return last.trouble ? { change: 'fixed', since: at } : {};
  const state = nextTrouble(host, last.trouble, at);
  return { change: state.since === at ? 'new' : 'still', since: state.since };
}

export interface UpdateOptions {
  /** The run looked at all steps of the runbook. */
  readonly whole: boolean;
  /** Nobody knows how long it has been bad: then it counts until it is good. */
  readonly isUnknown?: boolean;
}

/** What is to be kept after a run. What the run did not see stays as it was. */
export function updateLast(last: LastStates, result: RunResult, options: UpdateOptions): LastStates {
  const { id, startedAt: at } = result.run;
  const seen = result.hosts.map(
    (host) => [host.name, nextHost(host, lastOfHost(last, host.name), { ...options, id, at })] as const,
  );
  const hosts = { ...last.hosts, ...Object.fromEntries(seen) };
  const oldest = Date.parse(at) - keepFor;
  const kept = Object.entries(hosts)
    .filter(([, host]) => Date.parse(host.at) >= oldest)
    .sort(([, a], [, b]) => (a.at < b.at ? 1 : -1))
    .slice(0, maxHosts);
  return { schema: 'opsctl.last/1', hosts: Object.fromEntries(kept) };
}

function nextHost(
  host: HostResult,
  last: LastHost | undefined,
  { id, at, whole, isUnknown = false }: UpdateOptions & { readonly id: string; readonly at: string },
): LastHost {
  const again = last?.run === id;
  const seen: Record<string, LastState> = {};
  const present = new Set<string>();
  for (const step of host.steps) {
    present.add(stepKey(step));
    if (step.outcome === 'skipped' || (host.reason !== undefined && repeatsHost(step, host))) continue;
    const state = nextState(step, lastOf(step, last?.steps), at, again);
    seen[stepKey(step)] = isUnknown && state.bad > 0 ? { ...state, bad: longBad } : state;
  }
  // The items of a loop that did not get so far are told by the step itself.
  const isThere = (key: string) => present.has(key) || present.has(key.split('\0')[0] ?? key);
  const forget = whole && host.reason === undefined;
  const before = Object.entries(last?.steps ?? {}).filter(([key]) => !forget || isThere(key));
  return {
    run: id,
    at,
    ...(host.reason !== undefined && {
      trouble: nextTrouble({ ...host, outcome: troubleOf(host) }, last?.trouble, at),
    }),
    steps: { ...Object.fromEntries(before), ...seen },
  };
}

/** A host whose trouble is waived has the outcome of its other steps. */
function troubleOf(host: HostResult): Outcome {
  return (host.waived && host.steps.find((step) => repeatsHost(step, host))?.outcome) ?? host.outcome;
}

function nextTrouble(
  { outcome, reason = '' }: Pick<HostResult, 'outcome' | 'reason'>,
  last: LastHost['trouble'],
  at: string,
): NonNullable<LastHost['trouble']> {
  const since = last?.outcome === outcome ? last.since : at;
  return { outcome, reason, since, bad: (last?.bad ?? 0) + 1 };
}

/** A step that only repeats why the host could not be worked on is compared with that. */
function stateBefore(step: StepResult, host: LastHost | undefined): LastState | undefined {
  const { trouble, steps } = host ?? {};
  // Out of reach is out of reach: refused or too late, and what is behind another host is told so only in the end.
  const isSame = trouble && (repeatsHost(step, trouble) || (isLost(step) && isLost(trouble)));
  return isSame ? trouble : lastOf(step, steps);
}

function isLost({ outcome }: Pick<LastState, 'outcome'>): boolean {
  return outcome === 'unreachable';
}

/** Only of the same step: after an edit another one may have its id, or its place. */
function lastOf(step: StepResult, steps: LastHost['steps'] | undefined): LastState | undefined {
  const key = stepKey(step);
  const last = steps && Object.hasOwn(steps, key) ? steps[key] : undefined;
  return last?.of === undefined || last.of === subjectOf(step) ? last : undefined;
}

/** A step without an id is known by its place, such as `3` or `deploy/2`, and by its name. */
function subjectOf({ step, uses, name }: StepResult): string {
  return /(^|\/)\d+$/.test(step) ? `${uses} ${name}` : uses;
}

function nextState(step: StepResult, before: LastState | undefined, at: string, again = false): LastState {
  const findings = nextFindings(step, before, at);
  const wasBad = before !== undefined && before.bad > 0;
  const of = subjectOf(step);
  if (!isBad(step)) {
    const since = before && !wasBad ? before.since : at;
    return { of, outcome: 'ok', since, bad: 0, ...(findings && { findings }) };
  }
  return {
    of,
    outcome: step.outcome,
    since: wasBad && isNoWorse(step.outcome, before) ? before.since : at,
    bad: wasBad ? before.bad + (again ? 0 : 1) : 1,
    ...(findings && { findings }),
  };
}

/** A failure that became a warning is no news. */
function isNoWorse(outcome: Outcome, before: LastState): boolean {
  return outcome === before.outcome || outcome === 'warning';
}

function changeOf(state: LastState, before: LastState | undefined, hardFrom: number): StepResult['change'] {
  const wasBad = before !== undefined && before.bad > 0;
  if (state.bad === 0) return wasBad ? 'fixed' : undefined;
  // What was soft is news once more in the run in which it begins to count.
  if (!wasBad || state.bad <= hardFrom || !isNoWorse(state.outcome, before)) return 'new';
  return 'still';
}

function nextFindings({ outcome, findings }: StepResult, before: LastState | undefined, at: string) {
  const known = before?.findings;
  if (!evaluated.includes(outcome) && findings.length === 0) return known;
  if (findings.length > maxFindings) return 'many' as const;
  if (findings.length === 0) return undefined;
  return Object.fromEntries(
    findings.map((finding) => [findingKey(finding), (known !== 'many' && known?.[findingKey(finding)]) || at]),
  );
}

function findingChange(finding: Finding, before: LastState | undefined, at: string): Pick<Finding, 'change' | 'since'> {
  const known = before?.findings;
  if (known === 'many') return {};
  const since = known?.[findingKey(finding)];
  return since === undefined ? { change: 'new', since: at } : { change: 'still', since };
}

function goneFindings(
  { outcome, findings }: StepResult,
  before: LastState | undefined,
): NonNullable<StepResult['gone']> {
  const known = before?.findings;
  if (known === undefined || known === 'many' || !evaluated.includes(outcome)) return [];
  const there = new Set(findings.map(findingKey));
  return Object.entries(known)
    .filter(([key]) => !there.has(key))
    .map(([key, since]) => {
      const [id = '', subject = ''] = key.split('\0');
      return { id, subject, since };
    });
}

function findingKey({ id, subject }: Pick<Finding, 'id' | 'subject'>): string {
  return `${id}\0${subject}`;
}

function withoutChanges(step: StepResult): StepResult {
  if (!step.change && !step.since && !step.soft && !step.gone && step.findings.length === 0) return step;
  const { change: _, since: __, soft: ___, gone: ____, ...bare } = step;
  return { ...bare, findings: bare.findings.map(({ change: _, since: __, ...finding }) => finding) };
}
