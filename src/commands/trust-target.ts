import type { Project } from '../documents/project.js';
import type { Host } from '../inventory/inventory.js';
import type { Target } from '../transports/transport.js';
import type { CommandContext } from './command.js';

/** HOST on the command line to a target. */
export type ResolveHost = (host: string, project: Project, context: CommandContext) => Promise<Target>;

/** A host of the project's inventory by its name, else a plain address. */
export const resolveHost: ResolveHost = async (name, project, context) => {
  const { parseAddress, resolveTarget } = await import('../transports/target.js');
  const { resolveSecret } = await import('../secrets/source.js');
  const hosts = await inventoryHosts(project, context);
  return resolveTarget(hosts.get(name) ?? parseAddress(name), {
    env: context.env,
    cwd: project.root,
    knownHosts: project.knownHosts,
    host: (jump) => hosts.get(jump),
    secret: async (reference) =>
      resolveSecret(reference, {
        env: context.env,
        removeVariable: (variable) => context.removeVariable(variable),
        cwd: context.cwd,
        uid: context.user.uid,
      }),
  });
};

async function inventoryHosts(project: Project, context: CommandContext): Promise<ReadonlyMap<string, Host>> {
  if (project.inventory.length === 0) return new Map();
  const { loadInventory } = await import('../inventory/load.js');
  const { cwd, env, signal } = context;
  return (await loadInventory(project.inventory, { cwd, env, signal })).hosts;
}
