import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const schema = JSON.parse(readFileSync(new URL('./schemas/sarif-2.1.0.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

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

export interface SarifRule {
  readonly id: string;
  readonly shortDescription?: { readonly text: string };
  readonly fullDescription?: { readonly text: string };
  readonly help?: { readonly text: string; readonly markdown: string };
  readonly properties?: { readonly tags?: readonly string[] };
}

export interface SarifRun {
  readonly tool: { readonly driver: { readonly rules: readonly SarifRule[] } };
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
  refusedByGithub(only);
  return only;
}

/** What code scanning of GitHub refuses, or silently takes for something else. */
function refusedByGithub({ tool, results }: SarifRun): void {
  if (results.length > 25_000 || tool.driver.rules.length > 25_000) throw new Error('too many results or rules');
  for (const { id, shortDescription, fullDescription, help, properties } of tool.driver.rules) {
    for (const description of [shortDescription, fullDescription])
      if (!description?.text || description.text.length > 1024) throw new Error(`${id} is not described`);
    if (!help?.text || !help.markdown) throw new Error(`${id} has no help`);
    if ((properties?.tags?.length ?? 0) > 10) throw new Error(`${id} has too many tags`);
  }
  for (const { locations, partialFingerprints, message } of results) {
    if (!locations[0]?.physicalLocation?.artifactLocation.uri) throw new Error('a result is nowhere');
    if (!partialFingerprints.primaryLocationLineHash) throw new Error('a result is not known again');
    if (/\]\(/.test(message.text)) throw new Error(`a link in ${message.text}`);
  }
}
