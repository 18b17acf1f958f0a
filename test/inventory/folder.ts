import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Inventory } from '../../src/inventory/inventory.js';
import { loadInventory } from '../../src/inventory/load.js';

/** A folder with inventory files; what starts with `#!` is executable. */
export interface Folder {
  readonly path: string;
  load(...sources: readonly string[]): Promise<Inventory>;
  remove(): void;
}

export function inventoryFolder(files: Readonly<Record<string, string>>): Folder {
  const path = mkdtempSync(join(tmpdir(), 'opsctl-inventory-'));
  for (const [name, text] of Object.entries(files)) {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (text.startsWith('#!')) chmodSync(file, 0o755);
  }
  return {
    path,
    load: (...sources) => loadInventory(sources, { cwd: path, env: process.env }),
    remove: () => rmSync(path, { recursive: true }),
  };
}
