import { type Problem, UserError } from '../errors.js';
import { parentDown } from '../result/parents.js';
import { expiryOf } from '../result/waivers.js';
import { type WaiversFile, waiversSchema } from '../result/waivers.schema.js';
import type { LoadedDocument } from './document.js';
import { documentProblems, loadedDocument, readDocument } from './load.js';
import { nearest } from './nearest.js';
import { quote } from './source.js';
import { ordered } from './validate.js';

/** Reads waivers.yaml. Throws one UserError with all that is wrong in it. */
export async function loadWaivers(path: string, cwd: string): Promise<LoadedDocument<WaiversFile>> {
  const subject = 'a waivers file';
  const parsed = await readDocument(path, { cwd, subject });
  const problems = await documentProblems(parsed, { schema: waiversSchema, validator: 'waivers', subject });
  const document = loadedDocument<WaiversFile>(parsed);
  const { waivers } = (parsed.value ?? {}) as { readonly waivers?: unknown };
  const found = Array.isArray(waivers) ? waivers.flatMap((entry, index) => entryProblems(entry, index, document)) : [];
  if (problems.length + found.length > 0) throw new UserError(ordered([...problems, ...found]));
  return document;
}

/** What no schema can say. */
function entryProblems(entry: unknown, index: number, { place }: LoadedDocument<WaiversFile>): Problem[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [];
  const keys = entry as Readonly<Record<string, unknown>>;
  const problems: Problem[] = [];
  const misspelt = Object.keys(keys).some((key) => nearest(key, ['finding', 'step']) !== undefined);
  if (keys.finding === undefined && keys.step === undefined && !misspelt)
    problems.push({
      code: 'E_KEY_MISSING',
      what: `\`waivers[${index}]\` needs \`finding\` or \`step\``,
      hint: 'say what is accepted: `finding: disk-space`, or `step: check.disk`',
      place: place(['waivers', index]),
    });
  if (typeof keys.expires === 'string' && expiryOf(keys.expires) === undefined)
    problems.push({
      code: 'E_DATE',
      what: `\`expires\` is ${quote(keys.expires)}, which is no date and no time with its zone`,
      hint: 'write 2026-12-31 (to the end of that day, UTC) or 2026-12-31T18:00:00Z',
      place: place(['waivers', index, 'expires']),
    });
  const codes = keys['reason-codes'];
  const behind = Array.isArray(codes) ? codes.indexOf(parentDown) : -1;
  if (behind >= 0)
    problems.push({
      code: 'E_VALUE',
      what: `no result has the reason \`${parentDown}\` before all hosts are known, and waivers are for results`,
      hint: 'name why the host itself is not reached: connect-timeout, connect-refused',
      place: place(['waivers', index, 'reason-codes', behind]),
    });
  return problems;
}
