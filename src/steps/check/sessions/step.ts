import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { foundPattern, patternProblems, patternsSchema } from '../../patterns.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { shownText } from '../dialogue.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    warning: { ...rangeSchema('Warn when the number of sessions is outside this range.'), examples: [5] },
    critical: { ...rangeSchema('Fail when the number of sessions is outside this range.'), examples: [10] },
    'warning-users': {
      ...rangeSchema('Warn when the number of different users is outside this range.'),
      examples: [2],
    },
    'critical-users': {
      ...rangeSchema('Fail when the number of different users is outside this range.'),
      examples: [0],
    },
    'warning-idle': {
      ...rangeSchema('Warn when a terminal was not used for longer; a number is seconds.'),
      examples: ['8h'],
    },
    'critical-idle': {
      ...rangeSchema('Fail when a terminal was not used for longer; a number is seconds.'),
      examples: ['3d'],
    },
    allowed: {
      ...patternsSchema(
        'Regular expressions (RE2), one of which must occur in the name of each user who is logged in.',
      ),
      examples: ['^(root|ops-.*)$'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface Session {
  readonly user: string;
  /** Empty for a session without one, such as a copy over SSH. */
  readonly terminal: string;
  readonly remote: string;
  /** Seconds since the terminal was used. */
  readonly idle: number | null;
}

export interface SessionsData {
  readonly source: 'logind' | 'utmp';
  readonly sessions: readonly Session[];
}

export default defineHostStep<FromSchema<typeof params>, SessionsData>({
  kind: 'check.sessions',
  summary: 'Who is logged in, and how long terminals are idle',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, {
      warning: 'count',
      critical: 'count',
      'warning-users': 'count',
      'critical-users': 'count',
      'warning-idle': 'seconds',
      'critical-idle': 'seconds',
    }),
    ...patternProblems(given, ['allowed']),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const [[first, now] = [], [second, source] = []] = lines;
    if (first !== 'now' || second !== 'source' || (source !== 'logind' && source !== 'utmp'))
      throw new UnreadableOutput('the source of the sessions is missing');
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of sessions is cut off');
    const sessions = lines.slice(2, -1).map(([kind, rest]) => {
      const [user = '', terminal = '', remote = '', used = '', ...more] = rest.split('\t');
      if (kind !== 'session' || user === '' || more.length > 0)
        throw new UnreadableOutput(`not a session: ${rest.slice(0, 80)}`);
      const idle = used === '' ? null : Math.max(0, numberOf(now, 'now') - numberOf(used, 'last use'));
      return { user, terminal, remote, idle };
    });
    return { source, sessions };
  },
  judge({ sessions }, given) {
    const users = [...new Set(sessions.map(({ user }) => user))].sort();
    const names = users.length === 0 ? '' : `: ${shownText(users.join(', '))}`;
    const counted = { warning: given.warning, critical: given.critical, min: 0 };
    const people = { warning: given['warning-users'], critical: given['critical-users'], min: 0 };
    const numbers = [
      measure('sessions', sessions.length, 'count', counted, (count) => `${count} sessions${names}`),
      measure('users', users.length, 'count', people, (count) => `${count} users${names}`),
    ];
    const [idlest] = sessions
      .flatMap((session) => (session.idle === null ? [] : [{ ...session, idle: session.idle }]))
      .toSorted((a, b) => b.idle - a.idle);
    const patience = { warning: given['warning-idle'], critical: given['critical-idle'], min: 0 };
    if (idlest)
      numbers.push(
        measure('idle', idlest.idle, 'seconds', patience, (time) => `${placeOf(idlest)} is idle for ${time}`),
      );
    const strangers = sessions.filter(
      ({ user }) => given.allowed !== undefined && foundPattern(given.allowed, user) === undefined,
    );
    const issues: readonly Issue[] = [
      ...strangers.map((session) => wrong('user-not-allowed', `${placeOf(session)} is logged in`)),
      ...numbers.flatMap((number) => number.issues),
    ];
    const idle = idlest ? `, idle for ${formatQuantity(idlest.idle, 'seconds')} at most` : '';
    const amount = `${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'}`;
    return judgeIssues(issues, {
      calm: sessions.length === 0 ? 'nobody is logged in' : `${amount}${names}${idle}`,
      metrics: numbers.map(({ metric }) => metric),
    });
  },
});

function placeOf({ user, terminal, remote }: Session): string {
  return shownText(`${user}${terminal && ` on ${terminal}`}${remote && ` from ${remote}`}`);
}
