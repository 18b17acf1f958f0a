import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Packed {
  /** Everything of this test lives here; remove it at the end. */
  readonly folder: string;
  readonly tarball: string;
  readonly files: readonly string[];
}

/** Packs a copy of what is (or will be) committed, so that nothing but the checkout can be in the package. */
export function packCheckout(): Packed {
  const folder = mkdtempSync(join(tmpdir(), 'opsctl-package-'));
  const checkout = join(folder, 'checkout');
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const removed = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root }).toString().split('\0');
  for (const file of listed.toString().split('\0')) {
    if (file === '' || removed.includes(file)) continue;
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    cpSync(join(root, file), join(checkout, file), { verbatimSymlinks: true });
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const said = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: checkout, stdio: 'pipe' });
  // `prepack` writes to the same stdout before npm does.
  const [pack] = JSON.parse(said.toString().slice(said.toString().indexOf('[\n'))) as [
    { filename: string; files: readonly { path: string }[] },
  ];
  return { folder, tarball: join(folder, pack.filename), files: pack.files.map(({ path }) => path).sort() };
}
