import type { Inventory } from './inventory.js';

/** How many hosts each group has, those of its children included. */
export function groupSizes(inventory: Inventory): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const host of inventory.hosts.values())
    for (const group of host.groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return sizes;
}
