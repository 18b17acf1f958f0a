import type { CommandContext } from '../commands/command.js';
import type { LoadedRunbook, RunbookEntry, StepEntry } from '../documents/runbook.js';
import { type Place, type Problem, UserError } from '../errors.js';
import type { Host } from '../inventory/inventory.js';
import { itemsOf } from '../plan/items.js';
import type { Plan } from '../plan/plan.js';
import type { Secret } from '../secrets/secret.js';

/** A reference of a plan, with the first place that names it. */
interface Wanted {
  /** Every step that takes it drops its output, so that it may be short. */
  sensitive: boolean;
  place?: Place | undefined;
}

/** Reads every secret that the plan names, once, before any contact. Keys are references: `env:DB_PW`. */
export async function gatherSecrets(
  plan: Plan,
  runbook: LoadedRunbook,
  context: CommandContext,
): Promise<Map<string, Secret>> {
  const secrets = new Map<string, Secret>();
  const wanted = wantedSecrets(plan, runbook);
  if (wanted.size === 0) return secrets;
  const { resolveSecret } = await import('../secrets/source.js');
  const problems: Problem[] = [];
  let exit: UserError['exit'] | undefined;
  for (const [secret, { sensitive, place }] of wanted) {
    try {
      const resolved = await resolveSecret(
        { secret },
        {
          env: context.env,
          removeVariable: (name) => context.removeVariable(name),
          cwd: context.cwd,
          uid: context.user.uid,
          sensitive,
          ...(place && { place }),
        },
      );
      secrets.set(secret, resolved);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
      exit = Math.max(exit ?? 0, error.exit) as UserError['exit'];
    }
  }
  if (problems.length > 0) throw new UserError(problems, exit);
  return secrets;
}

export function wantedSecrets(plan: Plan, runbook: LoadedRunbook): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  const note = (secret: string, sensitive: boolean, place: Place | undefined) => {
    const known = wanted.get(secret);
    if (known) {
      known.sensitive &&= sensitive;
      known.place ??= place;
    } else wanted.set(secret, { sensitive, place });
  };
  // What stands in the text counts too: steps that wait for earlier results have no parameters yet.
  for (const { step, document, path } of stepsOf(runbook.entries)) {
    for (const { secret, path: below } of referencesIn(step))
      note(secret, step.sensitive ?? false, document.place([...path, ...below]));
  }
  const seen = new Set<unknown>();
  for (const { host, connect, body } of plan.hosts) {
    const settings = { password: connect.password, passphrase: connect.passphrase, sudo: connect.sudo };
    for (const { secret, path } of referencesIn(settings)) note(secret, false, originOf(host, `connect.${path[0]}`));
    if (seen.has(body)) continue;
    seen.add(body);
    const named = new Map<string, Place | undefined>();
    for (const { secret, path } of referencesIn(host.vars)) named.set(secret, originOf(host, `vars.${path[0]}`));
    for (const { params, step } of itemsOf(body))
      for (const { secret } of referencesIn(params)) note(secret, step.sensitive, named.get(secret));
  }
  return wanted;
}

function originOf(host: Host, key: string): Place | undefined {
  return host.origins.get(key)?.at(-1)?.place;
}

/** All steps of a runbook, those of groups and included runbooks too. */
export function* stepsOf(entries: readonly RunbookEntry[]): Generator<StepEntry> {
  for (const entry of entries) {
    if (entry.kind === 'step') yield entry;
    else for (const part of [entry.steps, entry.rescue, entry.always]) yield* stepsOf(part);
  }
}

type ValuePath = readonly (string | number)[];

function* referencesIn(value: unknown, path: ValuePath = []): Generator<{ secret: string; path: ValuePath }> {
  if (value === null || typeof value !== 'object') return;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'secret' && typeof only[1] === 'string') yield { secret: only[1], path };
  else
    for (const [key, item] of entries) yield* referencesIn(item, [...path, Array.isArray(value) ? Number(key) : key]);
}
