import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { metricOf } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type FoundIssue, UnreadableOutput } from '../../step.js';
import type { Found } from './attributes.js';
import { type Facts, readFacts } from './facts.js';
import { brokenText, CannotMatch, CutText, matches, shown, Undecided } from './match.js';
import type { Matcher } from './matcher.js';
import { type Resource, resourceTypes } from './resources.js';
import { loadSuite, type Suite, type SuiteParams } from './suite.js';

const params = {
  type: 'object',
  properties: {
    file: {
      type: 'string',
      minLength: 1,
      description: 'Goss file on this machine, relative to the runbook and inside the project folder.',
      examples: ['goss.yaml'],
    },
    vars: {
      type: ['string', 'object'],
      minLength: 1,
      description: 'Values for `.Vars` in its templates: a file, or the values themselves.',
      examples: ['vars.yaml'],
    },
    env: {
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
      description: 'Values for `.Env` in its templates. Nothing comes from the environment.',
      examples: [{ OS: 'debian12' }],
    },
  },
  required: ['file'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type Given = FromSchema<typeof params>;
type Params = Given & { readonly suite: Suite };

export interface GossTest {
  readonly type: string;
  readonly id: string;
  readonly attribute: string;
  readonly outcome: 'passed' | 'failed' | 'unknown' | 'skipped';
  /** What was seen, or why it was not. */
  readonly detail?: string;
  readonly title?: string;
}

export interface GossData {
  readonly tests: readonly GossTest[];
}

export default defineHostStep<Params, GossData>({
  kind: 'check.goss',
  summary: 'The tests of a goss file, without goss on the host',
  params,
  effect: 'read',
  timeout: 300,
  documents: async (given, reader) => ({ suite: await loadSuite(given as SuiteParams, reader) }),
  probe: script('./probe.sh', import.meta.url),
  args: ({ suite }) => [
    String(textLimit(suite)),
    ...asked(suite).flatMap((resource) => {
      const [kind = '', ...values] = resourceTypes[resource.type].question?.(resource) ?? [];
      return [kind, String(values.length), ...values];
    }),
  ],
  parse(output, { suite }) {
    const resources = asked(suite);
    const kinds = resources.map((resource) => resourceTypes[resource.type].question?.(resource)[0] ?? '');
    const facts = readFacts(output, kinds, textLimit(suite));
    const answers = new Map(resources.map((resource, index) => [resource, facts[index]]));
    return { tests: suite.resources.flatMap((resource) => judgeResource(resource, answers.get(resource))) };
  },
  judge({ tests }, { file }) {
    const count = (outcome: GossTest['outcome']) => tests.filter((test) => test.outcome === outcome).length;
    const [passed, failed, unknown, skipped] = [count('passed'), count('failed'), count('unknown'), count('skipped')];
    const metrics = Object.entries({ passed, failed, unknown, skipped }).map(([name, number]) =>
      metricOf(name, number, 'count', { min: 0, max: tests.length }),
    );
    const findings = tests.filter(({ outcome }) => outcome === 'failed').map(findingOf);
    const judged = (outcome: 'ok' | 'failed' | 'unknown' | 'skipped', reason: string, summary: string) => ({
      outcome,
      reason,
      summary: `${file}: ${summary}`,
      metrics,
      findings,
    });
    const some = [...(unknown > 0 ? [`${unknown} unknown`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])];
    const rest = some.length > 0 ? ` (${some.join(', ')})` : '';
    if (failed > 0)
      return judged(
        'failed',
        'goss-failed',
        `${failed} of ${tests.length} tests failed${rest}: ${named(tests, 'failed')}`,
      );
    if (unknown > 0)
      return judged(
        'unknown',
        'goss-unknown',
        `${unknown} of ${tests.length} tests could not be judged: ${named(tests, 'unknown')}`,
      );
    if (passed === 0) {
      const why = skipped > 0 ? `all ${skipped} tests are skipped` : 'it holds no tests';
      return judged('skipped', 'nothing-tested', why);
    }
    return judged('ok', 'ok', `${passed} tests passed${rest}`);
  },
});

/** Resources that the host is asked about. */
function asked({ resources }: Suite): readonly Resource[] {
  return resources.filter(({ type, skip, tests }) => !skip && tests.length > 0 && resourceTypes[type].question);
}

/** Bytes of each text, so that all of them fit in what a probe may print, even if they are empty lines. */
function textLimit(suite: Suite): number {
  const texts = asked(suite).flatMap(({ tests }) => tests.filter(({ attribute }) => manyBytes.has(attribute)));
  return Math.floor(Math.min(256, 448 / Math.max(1, texts.length)) * 1_024);
}

const manyBytes: ReadonlySet<string> = new Set(['contents', 'contains', 'stdout', 'stderr', 'body']);

function judgeResource(resource: Resource, facts: Facts | undefined): GossTest[] {
  const { type, id, title } = resource;
  let closed = resource.skip;
  return resource.tests.map(({ attribute, matcher }) => {
    const test = { type, id, attribute, ...(title !== undefined && { title }) };
    if (closed) return { ...test, outcome: 'skipped' };
    const found = find(resource, attribute, facts);
    const verdict = judgeFound(found, attribute, matcher);
    if (attribute === resourceTypes[type].gate)
      closed = verdict.outcome === 'failed' || ('value' in found && found.value === false);
    return { ...test, ...verdict };
  });
}

function find(resource: Resource, attribute: string, facts: Facts | undefined): Found {
  const reason = facts?.cannot(attribute);
  if (reason !== undefined) return { unknown: reason };
  try {
    return resourceTypes[resource.type].find(attribute, facts ?? nothing, resource);
  } catch (error) {
    // One answer that makes no sense says nothing about the others.
    if (error instanceof UnreadableOutput) return { unknown: error.message };
    throw error;
  }
}

const nothing: Facts = {
  bigEndian: false,
  has: () => false,
  value: () => '',
  values: () => [],
  text: () => '',
  cannot: () => undefined,
};

/** Not repeated in messages: it may be a file that only root should see. */
const hidden: ReadonlySet<string> = new Set(['contents', 'contains']);

function judgeFound(found: Found, attribute: string, matcher: Matcher): Pick<GossTest, 'outcome' | 'detail'> {
  if ('unknown' in found) return { outcome: 'unknown', detail: found.unknown };
  if ('fails' in found) return { outcome: 'failed', detail: found.fails };
  const wanted = `should ${phrase(matcher)}`;
  try {
    if (matches(matcher, found.value)) return { outcome: 'passed' };
    if (matcher.type === 'have-patterns') return { outcome: 'failed', detail: brokenText(matcher, found.value) };
    const seen = hidden.has(attribute) ? 'it' : `is ${shown(found.value)},`;
    return { outcome: 'failed', detail: `${seen} ${wanted}` };
  } catch (error) {
    if (error instanceof CannotMatch) {
      const why = hidden.has(attribute) ? 'it cannot be compared' : error.message;
      return { outcome: 'failed', detail: `${why}, ${wanted}` };
    }
    if (!(error instanceof Undecided)) throw error;
    const length = found.value instanceof CutText ? Buffer.byteLength(found.value.start) : 0;
    return { outcome: 'unknown', detail: `only its first ${length} bytes were looked at, and they do not decide` };
  }
}

function phrase({ type, expected }: Matcher): string {
  if (type === 'text' || type === 'number' || type === 'boolean') return `be ${shown(expected)}`;
  if (type === 'contain-elements' && Array.isArray(expected)) return `contain ${shown(expected)}`;
  return `match ${shown(expected)}`;
}

function findingOf({ type, id, attribute, detail, title }: GossTest): FoundIssue {
  return {
    id: `goss-${type}`,
    severity: 'high',
    subject: `${id} ${attribute}`,
    detail: `${title === undefined ? '' : `${title}: `}${detail}`,
  };
}

/** The first three tests of an outcome. */
function named(tests: readonly GossTest[], outcome: GossTest['outcome']): string {
  const list = tests.filter((test) => test.outcome === outcome);
  const told = list
    .slice(0, 3)
    .map(({ type, id, attribute, detail }) => `${type} ${oneLine(id)} ${attribute} ${detail}`);
  const rest = list.length - told.length;
  return `${told.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}

function oneLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length > 60 || line !== text.trim() ? `${line.slice(0, 60)}…` : line;
}
