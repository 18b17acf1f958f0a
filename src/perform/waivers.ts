import { relative } from 'node:path';
import type { LoadedDocument } from '../documents/document.js';
import type { Project } from '../documents/project.js';
import { ordered } from '../documents/validate.js';
import { loadWaivers } from '../documents/waivers.js';
import { type Problem, UserError } from '../errors.js';
import { compileGlob, isGlob } from '../inventory/glob.js';
import type { Inventory } from '../inventory/inventory.js';
import { selectHosts } from '../inventory/patterns.js';
import { expiryOf, type WaiverRule } from '../result/waivers.js';
import type { WaiverEntry, WaiversFile } from '../result/waivers.schema.js';

export interface WaiverSource {
  /** `--waivers`; the file of the project when absent. */
  readonly file?: string | undefined;
  /** The hosts are not those of the project: entries of its file about others do not concern them. */
  readonly otherHosts: boolean;
}

/** The waivers of a run, their host patterns resolved. Throws a UserError with all that is wrong in them. */
export async function readWaivers(
  { file, otherHosts }: WaiverSource,
  project: Project,
  inventory: Inventory,
  cwd: string,
): Promise<readonly WaiverRule[]> {
  const path = file ?? (project.waivers === undefined ? undefined : shortName(project.waivers, cwd));
  if (path === undefined) return [];
  const document = await loadWaivers(path, cwd);
  const problems: Problem[] = [];
  const rules = document.value.waivers.flatMap((entry, index) => {
    try {
      return [ruleOf(entry, index, document, inventory)];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const foreign = file === undefined && otherHosts && error.problems.every(({ code }) => code === 'E_NO_HOSTS');
      if (!foreign) problems.push(...error.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new UserError(ordered(problems));
  return rules;
}

function ruleOf(
  entry: WaiverEntry,
  index: number,
  { place, file }: LoadedDocument<WaiversFile>,
  inventory: Inventory,
): WaiverRule {
  const { finding, step, subject, hosts, owner, reason, ticket, expires } = entry;
  const codes = entry['reason-codes'];
  const selected = selectHosts(inventory, hosts, { place: place(['waivers', index, 'hosts']) });
  return {
    waiver: { owner, reason, expires, ...(ticket !== undefined && { ticket }) },
    ends: expiryOf(expires) as number,
    hosts: new Set(selected.map(({ name }) => name)),
    title: [step, finding, subject].filter((part) => part !== undefined).join(' '),
    place: `${file}:${place(['waivers', index]).line ?? index + 1}`,
    ...(finding !== undefined && { matchesFinding: matcher(finding) }),
    ...(step !== undefined && { matchesStep: matcher(step) }),
    ...(subject !== undefined && { matchesSubject: matcher(subject) }),
    ...(codes && { reasonCodes: new Set(codes) }),
  };
}

/** A subject such as `eth0[rx]` is itself as well as a pattern. */
function matcher(pattern: string): (text: string) => boolean {
  const fits = isGlob(pattern) ? compileGlob(pattern) : () => false;
  return (text) => text === pattern || fits(text);
}

function shortName(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith('../..') ? path : name;
}
