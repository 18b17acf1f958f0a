import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, probeStatus, text, UnreadableOutput } from '../../step.js';
import { factNames } from './names.js';

const params = {
  type: 'object',
  properties: {
    facts: {
      type: 'array',
      items: { enum: factNames },
      minItems: 1,
      description: 'What to ask. All when absent; then what the host does not know is left out.',
      examples: [['os', 'kernel']],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface FactsData {
  /** Text of each fact that is known; several lines are sorted where order means nothing. */
  readonly values: Readonly<Record<string, string>>;
  /** Why a fact is not known. */
  readonly unknown: Readonly<Record<string, string>>;
}

export default defineHostStep<FromSchema<typeof params>, FactsData>({
  kind: 'run.facts',
  summary: 'Facts of the host, such as its system, packages and users',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ facts }) => facts ?? factNames,
  parse(output, { facts = factNames }) {
    expectSuccess(output);
    const lines = new Map<string, string[]>();
    const unknown: Record<string, string> = {};
    let open: string[] | undefined;
    for (const line of text(output.stdout).split('\n')) {
      if (line.startsWith('\t')) open?.push(line.slice(1));
      else if (line.startsWith('fact ')) {
        open = [];
        lines.set(line.slice(5), open);
      } else if (line !== '') {
        const [, name = '', status = ''] = /^status (\S+) (\d+)$/.exec(line) ?? [];
        if (status !== '0') unknown[name] = reasonOf(Number(status));
        else if (lines.get(name)?.length === 0) unknown[name] = 'is empty';
      }
    }
    const missing = facts.find((name) => !lines.has(name));
    if (missing !== undefined) throw new UnreadableOutput(`nothing is said of ${missing}`);
    const known = facts.filter((name) => unknown[name] === undefined);
    return { values: Object.fromEntries(known.map((name) => [name, (lines.get(name) ?? []).join('\n')])), unknown };
  },
  judge({ values, unknown }, { facts }) {
    const [first] = Object.entries(unknown);
    const known = Object.keys(values).length;
    if (first && (facts || known === 0))
      return { outcome: 'unknown', reason: 'fact-unknown', summary: `${first[0]} ${first[1]}` };
    const short = Object.values(values).filter((value) => !value.includes('\n'));
    const summary = known <= 3 && short.length === known ? short.join(', ') : `${known} facts`;
    return { outcome: 'ok', reason: 'ok', summary };
  },
});

function reasonOf(status: number): string {
  if (status === probeStatus.needsPrivilege) return 'needs root';
  if (status === probeStatus.unavailable) return 'is not known on this host';
  return `ended with status ${status}`;
}
