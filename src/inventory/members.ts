import { nearest } from '../documents/nearest.js';
import { UserError } from '../errors.js';
import type { Host, Inventory } from './inventory.js';

/** All hosts of a group, those of its child groups included: its own first, then level by level. */
export function hostsOfGroup(inventory: Inventory, name: string): ReadonlySet<string> {
  const hosts = new Set<string>();
  const seen = new Set<string>();
  let level = [name];
  while (level.length > 0) {
    const next: string[] = [];
    for (const groupName of level) {
      const group = inventory.groups.get(groupName);
      if (!group || seen.has(groupName)) continue;
      seen.add(groupName);
      for (const host of group.hosts) hosts.add(host);
      next.push(...group.groups);
    }
    level = next;
  }
  return hosts;
}

/**
 * One host by its name.
 * @throws UserError
 */
export function hostNamed(inventory: Inventory, name: string): Host {
  const host = inventory.hosts.get(name);
  if (host) return host;
  const better = nearest(name, inventory.hosts.keys());
  throw new UserError({
    code: 'E_NO_HOSTS',
    what: `no host is named "${name}"`,
    hint: better === undefined ? 'list them with: opsctl inventory list' : `did you mean "${better}"?`,
  });
}
