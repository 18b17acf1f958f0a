import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';
import { judgeIssues, wrong } from '../issues.js';

const version = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9.+~^:_-]*$' } as const;

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9.+_-]*(?::[a-z0-9-]+)?$',
      description: 'Name of the package; with dpkg an architecture may follow (`libc6:i386`).',
      examples: ['openssl'],
    },
    state: { enum: ['installed', 'absent'], default: 'installed', description: 'State that it should be in.' },
    version: { ...version, description: 'Version that it should have, in quotes.', examples: ['3.0.15-1~deb12u1'] },
    'at-least': { ...version, description: 'Oldest version that is good, in quotes.', examples: ['3.0.13'] },
    below: { ...version, description: 'First version that is too new, in quotes.', examples: ['4'] },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

const operators = { version: 'eq', 'at-least': 'ge', below: 'lt' } as const;
const said = { version: 'should have', 'at-least': 'should have at least', below: 'should be below' } as const;

interface Installed {
  readonly version: string;
  readonly architecture: string;
  /** The package manager was interrupted, or its scripts failed. */
  readonly broken: boolean;
  /** What the host's tool answered, by operator. */
  readonly answers: Readonly<Record<string, boolean>>;
}

export interface PackageData {
  readonly manager: string;
  /** More than one where several versions or architectures are installed side by side. */
  readonly installed: readonly Installed[];
}

export default defineHostStep<Params, PackageData>({
  kind: 'check.package',
  summary: 'A package is installed, in the right version',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: (given) => [given.name, ...asked(given).flatMap(({ operator, wanted }) => [operator, wanted])],
  parse(output, given) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const manager = lines.find(([key]) => key === 'manager')?.[1];
    if (!manager || lines.at(-1)?.[0] !== 'end')
      throw new UnreadableOutput('the answer of the package manager is cut off');
    const installed: { version: string; architecture: string; status: string; answers: Record<string, boolean> }[] = [];
    for (const [key, value] of lines) {
      const [first = '', second = '', third = ''] = value.split('\t');
      if (key === 'package') installed.push({ status: first, version: second, architecture: third, answers: {} });
      const last = installed.at(-1);
      if (key === 'compare' && last) last.answers[first] = second === 'yes';
    }
    // Second letter: what it is. c and n are not there, U, F and H are half there, W and t wait for a trigger.
    const there = installed.filter(({ status }) => !/^.[cn]/.test(status));
    for (const { answers } of there)
      if (asked(given).some(({ operator }) => answers[operator] === undefined))
        throw new UnreadableOutput('a comparison of versions is missing');
    return {
      manager,
      installed: there.map(({ status, ...rest }) => ({ ...rest, broken: !/^.[iWt]\s?$/.test(status) })),
    };
  },
  judge({ installed }, given) {
    const { name } = given;
    const [first] = installed;
    const versions = installed.map((one) => one.version).join(', ');
    if (given.state === 'absent')
      return first
        ? { outcome: 'failed', reason: 'package-present', summary: `${name} ${versions} is installed, should not` }
        : { outcome: 'ok', reason: 'ok', summary: `${name} is not installed` };
    if (!first) return { outcome: 'failed', reason: 'package-absent', summary: `${name} is not installed` };
    const issues = installed.flatMap((one) => [
      ...(one.broken ? [wrong('package-broken', `${one.version} is not installed to the end`)] : []),
      ...asked(given)
        .filter(({ operator }) => !one.answers[operator])
        .map(({ key, wanted }) => wrong('wrong-version', `is ${one.version}, ${said[key]} ${wanted}`)),
    ]);
    return judgeIssues(issues, { subject: name, calm: `${versions} is installed` });
  },
});

function asked(given: Params) {
  return (Object.keys(operators) as (keyof typeof operators)[]).flatMap((key) => {
    const wanted = given[key];
    return wanted === undefined ? [] : [{ key, operator: operators[key], wanted }];
  });
}
