import type { RunbookEntry, StepEntry } from '../documents/runbook.js';
import type { Place } from '../errors.js';
import { hasTemplate } from '../expressions/scan.js';

export function placeAt(entry: RunbookEntry, path: readonly (string | number)[]): Place {
  return entry.document.place([...entry.path, ...path]);
}

/** The ids that expressions of the runbook may name. An included runbook has its own. */
export function idsOf(entries: readonly RunbookEntry[]): string[] {
  return entries.flatMap((entry) => {
    if (entry.kind === 'step') return entry.step.id ? [entry.step.id] : [];
    if (entry.include) return [];
    return [
      ...(entry.group.id ? [entry.group.id] : []),
      ...idsOf(entry.steps),
      ...idsOf(entry.rescue),
      ...idsOf(entry.always),
    ];
  });
}

/** How many results a group counts, or undefined where a loop decides. */
export function countOf(entries: readonly RunbookEntry[]): number | undefined {
  let count = 0;
  for (const entry of entries) {
    if (entry.kind === 'step' && entry.step.each !== undefined) return undefined;
    const more = entry.kind === 'step' || entry.group.require !== undefined ? 1 : countOf(entry.steps);
    if (more === undefined) return undefined;
    count += more;
  }
  return count;
}

/** Whether a step in it stands for a change; one whose effect is not known yet counts as one. */
export function changesIn(entries: readonly RunbookEntry[]): boolean {
  return entries.some((entry) => {
    if (entry.kind === 'group') return changesIn(entry.steps);
    const { effect } = entry.stepKind;
    return (typeof effect === 'string' ? effect : effect(entry.step.with)) !== 'read';
  });
}

/** A step without a name is called by its kind and what it looks at. */
export function nameOf({ step }: StepEntry): string {
  const given = Object.entries((step.with ?? {}) as Record<string, unknown>);
  const subject = given.find(
    ([key, value]) =>
      ['path', 'name', 'service', 'port', 'url', 'address', 'command', 'file'].includes(key) &&
      typeof value !== 'object' &&
      !hasTemplate(value),
  );
  return subject ? `${step.uses} ${String(subject[1]).split('\n')[0]?.slice(0, 60)}` : step.uses;
}

/** Whether anything in a runbook is an expression, so that the engine has to be loaded. */
export function needsEngine(entries: readonly RunbookEntry[]): boolean {
  return entries.some((entry) => {
    if (entry.kind === 'step') {
      const { when, each, retry, trends, with: params } = entry.step;
      return (
        typeof when === 'string' ||
        typeof each === 'string' ||
        typeof retry?.until === 'string' ||
        hasTemplate(params) ||
        hasTemplate(trends) ||
        hasTemplate(each)
      );
    }
    const inner = [...entry.steps, ...entry.rescue, ...entry.always];
    return typeof entry.group.when === 'string' || hasTemplate(entry.include?.params) || needsEngine(inner);
  });
}
