import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';

const params = { type: 'object', properties: {}, additionalProperties: false } as const satisfies JsonSchema;

/** Lines by subject, as the probe prints them; a subject that the host lacks is not there. */
export type SurveyData = Readonly<Record<string, readonly string[]>>;

export default defineHostStep<FromSchema<typeof params>, SurveyData>({
  kind: 'run.survey',
  summary: 'What a host has that checks can look at, for opsctl discover',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the survey is cut off');
    const subjects: Record<string, string[]> = Object.create(null);
    for (const [subject, said] of lines.slice(0, -1)) {
      subjects[subject] ??= [];
      subjects[subject].push(said);
    }
    return { ...subjects };
  },
  judge(data) {
    const subjects = Object.keys(data).length;
    return { outcome: 'ok', reason: 'ok', summary: `${subjects} subjects` };
  },
});
