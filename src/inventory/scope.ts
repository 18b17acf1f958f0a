import { loadProject } from '../documents/project.js';
import type { Inventory } from './inventory.js';
import { type InventoryContext, loadInventory } from './load.js';

export interface InventoryScope {
  /** `-i`; the project's inventory when absent. */
  readonly inventory?: readonly string[];
  /** `--project`. */
  readonly project?: string;
}

interface ScopeContext extends InventoryContext {
  readonly user: { readonly uid: number | undefined; readonly home: string | undefined };
}

/** The inventory that a command is about. Loads nothing else: commands that only look start fast. */
export async function loadScopedInventory(scope: InventoryScope, context: ScopeContext): Promise<Inventory> {
  if (scope.inventory) return loadInventory(scope.inventory, context);
  const { uid, home } = context.user;
  const project = await loadProject({
    cwd: context.cwd,
    ...(scope.project !== undefined && { explicit: scope.project }),
    ...(uid !== undefined && { uid }),
    ...(home !== undefined && { home }),
  });
  return loadInventory(project.inventory, context);
}
