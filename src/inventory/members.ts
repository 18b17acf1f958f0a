import type { Inventory } from './inventory.js';

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
