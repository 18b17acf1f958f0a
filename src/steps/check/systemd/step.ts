import { duration, parseDuration } from '../../../documents/duration.js';
import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { metricOf } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type FoundIssue, text, UnreadableOutput } from '../../step.js';
import { readUnits, secondsSince } from '../units.js';

const params = {
  type: 'object',
  properties: {
    ignore: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Units that may have failed; `*` stands for anything.',
      examples: [['snap-*.mount', 'certbot.service']],
    },
    restarts: {
      type: 'integer',
      minimum: 0,
      default: 3,
      description:
        'Fail when systemd has restarted a service this often and started it within `window`. 0 does not look.',
    },
    window: {
      ...duration('How long ago the last start of a crash loop may be.'),
      default: '10m',
      examples: ['10m', '1h'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface SystemdData {
  /** `running`, `degraded`, `starting`, `maintenance` … */
  readonly state: string;
  readonly version: string;
  readonly failed: readonly string[];
  readonly looping: readonly { readonly unit: string; readonly restarts: number }[];
}

export default defineHostStep<FromSchema<typeof params>, SystemdData>({
  kind: 'check.systemd',
  summary: 'Failed units and services in a crash loop',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ restarts }) => [String(restarts)],
  parse(output, { restarts, window }) {
    expectSuccess(output);
    const [manager = '', failed, services] = text(output.stdout).split(/^== (?:failed|services)$/m);
    const [system] = readUnits(manager);
    if (!system?.SystemState || failed === undefined) throw new UnreadableOutput('the state of systemd is missing');
    const units = failed
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[0] ?? '')
      .filter(Boolean);
    return {
      state: system.SystemState,
      version: system.Version ?? '',
      failed: units.toSorted(),
      looping: services === undefined ? [] : loopingServices(services, restarts, parseDuration(window)),
    };
  },
  judge({ state, failed, looping }, { ignore }) {
    const ignored = (unit: string) => ignore.some((pattern) => matches(pattern, unit));
    const bad = failed.filter((unit) => !ignored(unit));
    const loops = looping.filter(({ unit }) => !ignored(unit) && !bad.includes(unit));
    const metrics = [
      metricOf('failed-units', bad.length, 'count', { min: 0 }),
      metricOf('looping-services', loops.length, 'count', { min: 0 }),
    ];
    const findings: FoundIssue[] = [
      ...bad.map((unit) => ({
        id: 'unit-failed',
        severity: 'high' as const,
        subject: unit,
        detail: 'has failed',
        remedy: `systemctl status ${unit}; after the repair: systemctl reset-failed ${unit}`,
      })),
      ...loops.map(({ unit, restarts }) => ({
        id: 'crash-loop',
        severity: 'high' as const,
        subject: unit,
        detail: `was restarted ${restarts} times`,
        remedy: `journalctl -u ${unit}`,
      })),
    ];
    const problems = [
      ...(bad.length > 0 ? [`failed: ${some(bad)}`] : []),
      ...(loops.length > 0
        ? [`in a crash loop: ${some(loops.map(({ unit, restarts }) => `${unit} (${restarts} restarts)`))}`]
        : []),
    ];
    if (problems.length > 0)
      return {
        outcome: 'failed',
        reason: bad.length > 0 ? 'unit-failed' : 'crash-loop',
        summary: problems.join('; '),
        metrics,
        findings,
      };
    if (state === 'starting' || state === 'initializing')
      return { outcome: 'warning', reason: 'starting', summary: 'the system is still starting', metrics };
    if (state === 'maintenance' || state === 'stopping')
      return { outcome: 'failed', reason: state, summary: `the system is ${state}`, metrics };
    if (state !== 'running' && state !== 'degraded')
      return { outcome: 'unknown', reason: 'state-unknown', summary: `systemd says its state is ${state}`, metrics };
    const passed = failed.length - bad.length;
    return {
      outcome: 'ok',
      reason: 'ok',
      summary: passed > 0 ? `no failed units but ${passed} ignored` : 'no failed units',
      metrics,
    };
  },
});

/** Services that came back again and again, the last time lately. A unit that was restarted by a person counts from 0. */
function loopingServices(services: string, limit: number, window: number): SystemdData['looping'] {
  const [clock, ...units] = readUnits(services);
  const uptime = Number(clock?.Uptime);
  if (!(uptime > 0)) throw new UnreadableOutput('the uptime is missing');
  return units.flatMap((unit) => {
    const restarts = Number(unit.NRestarts ?? 0);
    const since = secondsSince(unit.ExecMainStartTimestampMonotonic, uptime);
    return limit > 0 && restarts >= limit && since !== null && since <= window
      ? [{ unit: unit.Id ?? '', restarts }]
      : [];
  });
}

function matches(pattern: string, unit: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return unit === pattern;
  if (!unit.startsWith(head)) return false;
  let at = head.length;
  const tail = rest.pop() ?? '';
  for (const part of rest) {
    const found = unit.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return unit.length - tail.length >= at && unit.endsWith(tail);
}

function some(names: readonly string[]): string {
  const rest = names.length - 5;
  return `${names.slice(0, 5).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
