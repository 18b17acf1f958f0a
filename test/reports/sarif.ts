import { Ajv } from 'ajv';

// The part of the OASIS schema of SARIF 2.1.0 that we write, as strict as the original: nothing unknown but in
// `properties`.
const text = { type: 'string', minLength: 1 };
const message = object({ text }, ['text']);
const bag = { type: 'object', properties: { tags: { type: 'array', items: text, uniqueItems: true } } };
const level = { enum: ['none', 'note', 'warning', 'error'] };
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$' };

const rule = object(
  { id: text, shortDescription: message, help: message, defaultConfiguration: object({ level }), properties: bag },
  ['id'],
);
const location = object({
  physicalLocation: object({
    artifactLocation: object({ uri: { type: 'string', pattern: "^[\\w.~:/%!$&'()*+,;=@-]+$" } }),
    region: object({ startLine: { type: 'integer', minimum: 1 } }),
  }),
  logicalLocations: { type: 'array', items: object({ name: text, fullyQualifiedName: text, kind: text }) },
});
const result = object(
  {
    ruleId: text,
    ruleIndex: { type: 'integer', minimum: 0 },
    level,
    message,
    locations: { type: 'array', items: location },
    partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
    kind: { enum: ['notApplicable', 'pass', 'fail', 'review', 'open', 'informational'] },
    baselineState: { enum: ['new', 'unchanged', 'updated', 'absent'] },
    suppressions: {
      type: 'array',
      items: object(
        {
          kind: { enum: ['inSource', 'external'] },
          status: { enum: ['accepted', 'underReview', 'rejected'] },
          justification: text,
        },
        ['kind'],
      ),
    },
    properties: bag,
  },
  ['message'],
);
const run = object(
  {
    tool: object(
      {
        driver: object(
          {
            name: text,
            version: text,
            informationUri: { type: 'string', pattern: '^https://' },
            rules: { type: 'array', items: rule, uniqueItems: true },
          },
          ['name'],
        ),
      },
      ['driver'],
    ),
    automationDetails: object({ id: text }),
    invocations: {
      type: 'array',
      items: object(
        {
          executionSuccessful: { type: 'boolean' },
          exitCode: { type: 'integer' },
          startTimeUtc: time,
          endTimeUtc: time,
        },
        ['executionSuccessful'],
      ),
    },
    columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
    results: { type: 'array', items: result },
    properties: bag,
  },
  ['tool'],
);
const log = object({ $schema: { type: 'string' }, version: { const: '2.1.0' }, runs: { type: 'array', items: run } }, [
  'version',
  'runs',
]);

function object(properties: Readonly<Record<string, unknown>>, required: readonly string[] = []) {
  return { type: 'object', properties, required, additionalProperties: false };
}

const validate = new Ajv({ strict: false }).compile(log);

export interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation?: { readonly artifactLocation: { readonly uri: string } };
    readonly logicalLocations: readonly { readonly fullyQualifiedName: string }[];
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly baselineState?: string;
  readonly suppressions?: readonly unknown[];
}

export interface SarifRun {
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
  readonly invocations: readonly unknown[];
  readonly results: readonly SarifResult[];
}

/** Reads SARIF by its schema and the rules that no schema can state, or throws. */
export function readSarif(json: string): SarifRun {
  const data = JSON.parse(json) as { readonly runs: readonly SarifRun[] };
  if (!validate(data)) throw new Error(JSON.stringify(validate.errors));
  const [only] = data.runs;
  if (!only || data.runs.length > 1) throw new Error('not one run');
  const ids = only.tool.driver.rules.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) throw new Error('a rule comes twice');
  for (const { ruleId, ruleIndex } of only.results)
    if (ids[ruleIndex] !== ruleId) throw new Error(`${ruleId} is not rule ${ruleIndex}`);
  const prints = only.results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints));
  if (new Set(prints).size !== prints.length) throw new Error('a fingerprint comes twice');
  return only;
}
