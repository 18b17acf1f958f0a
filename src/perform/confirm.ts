import { exitCode, UserError } from '../errors.js';
import type { Inventory } from '../inventory/inventory.js';
import { groupSizes } from '../inventory/sizes.js';
import { blastRadius } from '../plan/describe.js';
import { itemsOf } from '../plan/items.js';
import type { Plan } from '../plan/plan.js';
import type { Terminal } from '../terminal.js';

/**
 * Asks before anything changes: on a terminal the number of hosts has to be typed, elsewhere `--yes` has to
 * be given. Plans that only read pass without a word.
 */
export async function confirmChanges(
  plan: Plan,
  inventory: Inventory,
  yes: boolean,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const changing = plan.hosts.filter(({ body }) =>
    itemsOf(body).some((item) => item.step.effect === 'change' && !item.skip),
  );
  if (changing.length === 0 || yes) return;
  if (!terminal.stdinIsTty || !terminal.stderrIsTty) {
    throw new UserError(
      {
        code: 'E_NOT_CONFIRMED',
        what: `this run changes ${changing.length} ${changing.length === 1 ? 'host' : 'hosts'}`,
        hint: 'pass `--yes`, or look first with `--dry-run`',
      },
      exitCode.refused,
    );
  }
  await terminal.err(`${blastRadius(plan, groupSizes(inventory))}\n`);
  const answer = await terminal.ask(
    `type ${changing.length} to change ${changing.length === 1 ? 'this host' : 'these hosts'}`,
    undefined,
    signal,
  );
  if (answer.trim() !== String(changing.length)) {
    throw new UserError({ code: 'E_NOT_CONFIRMED', what: 'not confirmed; nothing was changed' }, exitCode.refused);
  }
}
