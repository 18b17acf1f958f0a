import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { metricOf } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    enforce: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Profiles that must be loaded and enforced.',
      examples: [['/usr/sbin/mysqld', 'chronyd']],
    },
    complain: {
      type: 'boolean',
      default: true,
      description: 'Whether other profiles may only complain. `false`: warn about them.',
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface ApparmorData {
  readonly enabled: boolean;
  /** `enforce`, `complain`, `kill`, `unconfined` … by profile. */
  readonly profiles: Readonly<Record<string, string>>;
}

export default defineHostStep<FromSchema<typeof params>, ApparmorData>({
  kind: 'check.apparmor',
  summary: 'AppArmor is on and enforces its profiles',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const enabled = new Map(lines).get('enabled');
    if (enabled !== 'Y' && enabled !== 'N') throw new UnreadableOutput('whether AppArmor is on is missing');
    if (enabled === 'N') return { enabled: false, profiles: {} };
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of profiles is cut off');
    const profiles = lines
      .filter(([key]) => key === 'profile')
      .map(([, value]): [string, string] => {
        // A name may hold spaces and parentheses.
        const match = /^(.+) \(([a-z]+)\)$/.exec(value);
        if (!match) throw new UnreadableOutput(`not a profile: ${value.slice(0, 200)}`);
        return [match[1] ?? '', match[2] ?? ''];
      });
    return { enabled: true, profiles: Object.fromEntries(profiles) };
  },
  judge({ enabled, profiles }, given) {
    if (!enabled) return { outcome: 'failed', reason: 'apparmor-off', summary: 'AppArmor is switched off' };
    const names = Object.keys(profiles);
    const enforced = (name: string) => profiles[name] === 'enforce' || profiles[name] === 'kill';
    const complaining = names.filter((name) => profiles[name] === 'complain').toSorted();
    const issues: Issue[] = given.enforce
      .filter((name) => !enforced(name))
      .map((name) =>
        profiles[name] === undefined
          ? wrong('profile-absent', `${name} is not loaded`)
          : wrong('profile-not-enforced', `${name} is in mode ${profiles[name]}, should be enforced`),
      );
    if (names.length === 0) issues.push(wrong('no-profiles', 'no profile is loaded'));
    const others = complaining.filter((name) => !given.enforce.includes(name));
    if (!given.complain && others.length > 0)
      issues.push({
        outcome: 'warning',
        reason: 'profile-complains',
        text: `only complaining: ${others.slice(0, 5).join(', ')}${others.length > 5 ? ` and ${others.length - 5} more` : ''}`,
      });
    const count = names.filter(enforced).length;
    return judgeIssues(issues, {
      subject: 'AppArmor:',
      calm: `${count} of ${names.length} profiles are enforced`,
      metrics: [
        metricOf('enforced', count, 'count', { min: 0 }),
        metricOf('complaining', complaining.length, 'count', { min: 0 }),
      ],
    });
  },
});
