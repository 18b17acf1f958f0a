import type { CommandContext } from '../commands/command.js';
import type { LoadedRunbook } from '../documents/runbook.js';
import { type Problem, UserError } from '../errors.js';
import type { SecretReference } from '../inventory/inventory.js';
import { itemsOf } from '../plan/items.js';
import type { Plan } from '../plan/plan.js';
import type { Secret } from '../secrets/secret.js';

/** Reads every secret that the plan names, once, before any contact. Keys are references: `env:DB_PW`. */
export async function gatherSecrets(
  plan: Plan,
  runbook: LoadedRunbook,
  context: CommandContext,
): Promise<Map<string, Secret>> {
  const references = new Map<string, { readonly sensitive: boolean }>();
  const note = (value: unknown, sensitive: boolean) => {
    for (const { secret } of referencesIn(value))
      references.set(secret, { sensitive: sensitive && (references.get(secret)?.sensitive ?? true) });
  };
  const seen = new Set<unknown>();
  for (const { host, connect, body } of plan.hosts) {
    note([connect.password, connect.passphrase, connect.sudo], false);
    if (seen.has(body)) continue;
    seen.add(body);
    for (const { params, step } of itemsOf(body)) note(params, step.sensitive);
    void host;
  }
  // Steps that wait for earlier results have no parameters yet, but their references stand in the text.
  note(runbook.value.steps, false);
  const secrets = new Map<string, Secret>();
  if (references.size === 0) return secrets;
  const { resolveSecret } = await import('../secrets/source.js');
  const problems: Problem[] = [];
  let exit: UserError['exit'] | undefined;
  for (const [secret, { sensitive }] of references) {
    try {
      const resolved = await resolveSecret(
        { secret },
        {
          env: context.env,
          removeVariable: (name) => context.removeVariable(name),
          cwd: context.cwd,
          uid: context.user.uid,
          sensitive,
        },
      );
      secrets.set(secret, resolved);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
      exit = error.exit;
    }
  }
  if (problems.length > 0) throw new UserError(problems, exit);
  return secrets;
}

function* referencesIn(value: unknown): Generator<SecretReference> {
  if (value === null || typeof value !== 'object') return;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'secret' && typeof only[1] === 'string') yield { secret: only[1] };
  else for (const [, item] of entries) yield* referencesIn(item);
}
