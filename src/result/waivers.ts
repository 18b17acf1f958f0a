import type { Finding, Outcome, StepResult, Waiver } from './result.schema.js';

/** One entry of waivers.yaml, ready to be compared with results. */
export interface WaiverRule {
  readonly waiver: Waiver;
  /** From this time on it no longer holds, in milliseconds. */
  readonly ends: number;
  readonly hosts: ReadonlySet<string>;
  /** For messages: what it is for, and where it stands. */
  readonly title: string;
  readonly place: string;
  readonly matchesFinding?: (id: string) => boolean;
  readonly matchesStep?: (name: string) => boolean;
  readonly matchesSubject?: (subject: string) => boolean;
  readonly reasonCodes?: ReadonlySet<string>;
}

export interface Waivers {
  /** The result with what is waived in it. Says the same when asked again about a result that it gave. */
  apply(host: string, step: StepResult): StepResult;
  /** What to tell at the end of a run: waivers that expired, that soon will, and those that are for nothing. */
  notes(run?: WholeRun): readonly string[];
}

/** All hosts and all steps of a runbook were looked at, so that a waiver without a match is told. */
export interface WholeRun {
  readonly hosts: readonly string[];
  readonly steps: readonly Pick<StepResult, 'step' | 'uses'>[];
}

const day = 86_400_000;
/** So long before its end a waiver is told. */
export const warnBefore = 14 * day;

export function startWaivers(rules: readonly WaiverRule[], now: number): Waivers {
  const used = new Map<WaiverRule, Set<string>>();
  const use = (rule: WaiverRule, host: string) => {
    const hosts = used.get(rule);
    if (hosts) hosts.add(host);
    else used.set(rule, new Set([host]));
  };
  return {
    apply(host, step) {
      const bare = withoutWaivers(step);
      if (bare.rescued === true || bare.outcome === 'skipped') return bare;
      const mine = rules.filter((rule) => rule.hosts.has(host) && isAbout(rule, bare) && mayWaive(rule, bare));
      if (mine.length === 0) return bare;
      const findings = bare.findings.map((finding) => {
        const found = longest(mine.filter((rule) => isAboutFindings(rule) && matches(rule, finding)));
        if (!found) return finding;
        use(found, host);
        return { ...finding, ...mark(found, now) };
      });
      if (!bad.includes(bare.outcome)) return { ...bare, findings };
      const whole = longest(mine.filter((rule) => !isAboutFindings(rule)));
      if (whole) use(whole, host);
      const all = findings.length > 0 && findings.every(({ waived }) => waived);
      const byFindings = all ? findings.map(({ waived }) => waived as Waiver).sort(byExpiry)[0] : undefined;
      const expired = findings.find(({ waiverExpired }) => waiverExpired)?.waiverExpired;
      return {
        ...bare,
        findings,
        ...(whole && mark(whole, now)),
        ...(byFindings && !(whole && isActive(whole, now)) && { waived: byFindings }),
        ...(!whole && !byFindings && expired && { waiverExpired: expired }),
      };
    },
    notes(run) {
      return rules.flatMap((rule) => {
        const { owner, expires } = rule.waiver;
        const hosts = used.get(rule);
        if (!hosts) return run && couldMatch(rule, run) ? [unused(rule, now)] : [];
        const where = `${rule.title} on ${list([...hosts])}`;
        if (!isActive(rule, now))
          return [`waiver expired ${expires}, owner ${owner}: ${where} counts again (${rule.place})`];
        const left = rule.ends - now;
        return left > warnBefore
          ? []
          : [`waiver ends ${expires}, ${timeLeft(left)}, owner ${owner}: ${where} (${rule.place})`];
      });
    },
  };
}

/** When a waiver ends, in milliseconds: a plain date at the end of that day UTC. Undefined for what is neither date nor time. */
export function expiryOf(text: string): number | undefined {
  const [, date, time] =
    /^(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)))?$/.exec(text) ?? [];
  const midnight = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`);
  // `2026-02-30` is a date to Date.parse in some engines: only one that reads back the same is one.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return undefined;
  if (time === undefined) return midnight + day;
  const at = Date.parse(text.toUpperCase());
  return Number.isNaN(at) ? undefined : at;
}

/** `in less than a day`, `in 1 day`, `in 9 days`. */
export function timeLeft(milliseconds: number): string {
  const days = Math.floor(milliseconds / day);
  return days <= 0 ? 'in less than a day' : `in ${days} ${days === 1 ? 'day' : 'days'}`;
}

const bad: readonly Outcome[] = ['warning', 'failed', 'unknown', 'unreachable', 'refused'];

function withoutWaivers(step: StepResult): StepResult {
  // Nearly every result: there are many, and a copy is dear.
  if (!step.waived && !step.waiverExpired && step.findings.length === 0) return step;
  const { waived: _, waiverExpired: __, ...bare } = step;
  return { ...bare, findings: bare.findings.map(({ waived: _, waiverExpired: __, ...finding }) => finding) };
}

/** What could not be told, or was never begun, is no finding: only an entry that names its reason accepts it. */
function mayWaive({ reasonCodes }: WaiverRule, { outcome, reason }: StepResult): boolean {
  if (reasonCodes) return reasonCodes.has(reason);
  return ['ok', 'changed', 'warning', 'failed'].includes(outcome);
}

function isAbout({ matchesStep }: WaiverRule, { step, uses }: Pick<StepResult, 'step' | 'uses'>): boolean {
  // Below an include the key of a step is `4/check`; its author knows it as `check`.
  return !matchesStep || [step, step.slice(step.lastIndexOf('/') + 1), uses].some(matchesStep);
}

function isAboutFindings({ matchesFinding, matchesSubject }: WaiverRule): boolean {
  return matchesFinding !== undefined || matchesSubject !== undefined;
}

function matches({ matchesFinding, matchesSubject }: WaiverRule, { id, subject }: Finding): boolean {
  return (matchesFinding?.(id) ?? true) && (matchesSubject?.(subject) ?? true);
}

/** Of several, the one that holds the longest. */
function longest(rules: readonly WaiverRule[]): WaiverRule | undefined {
  return rules.reduce<WaiverRule | undefined>(
    (best, rule) => (best && best.ends >= rule.ends ? best : rule),
    undefined,
  );
}

function mark(rule: WaiverRule, now: number): Pick<StepResult, 'waived' | 'waiverExpired'> {
  return isActive(rule, now) ? { waived: rule.waiver } : { waiverExpired: rule.waiver };
}

function isActive({ ends }: WaiverRule, now: number): boolean {
  return now < ends;
}

export function byExpiry(a: Waiver, b: Waiver): number {
  return (expiryOf(a.expires) ?? 0) - (expiryOf(b.expires) ?? 0);
}

function couldMatch(rule: WaiverRule, { hosts, steps }: WholeRun): boolean {
  return hosts.some((host) => rule.hosts.has(host)) && steps.some((step) => isAbout(rule, step));
}

function unused(rule: WaiverRule, now: number): string {
  const { owner, expires } = rule.waiver;
  const when = isActive(rule, now) ? '' : `, expired ${expires}`;
  return `waiver for nothing, owner ${owner}${when}: ${rule.title} did not occur (${rule.place}); remove it when it is mended`;
}

const maxHosts = 5;

function list(hosts: readonly string[]): string {
  const more = hosts.length - maxHosts;
  return more > 0 ? `${hosts.slice(0, maxHosts).join(', ')} and ${more} more` : hosts.join(', ');
}
