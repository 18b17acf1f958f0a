import { describe } from 'vitest';
import { type Need, packages } from './packages.js';
import { onPath } from './programs.js';

export { onPath };

/**
 * `describe` where all that the suite needs is there: programs by name, and `root` for uid 0. Otherwise a
 * skipped suite that names what is missing. With CI set nothing may be skipped: what is missing fails the suite.
 *
 * @example
 * describeWith('ssh transport', ['sshd', 'root'], () => { … });
 */
export function describeWith(title: string, needs: readonly Need[], body: () => void): void {
  const missing = needs.filter((need) => (need === 'root' ? process.getuid?.() !== 0 : !onPath(need)));
  if (missing.length === 0) describe(title, body);
  else if (process.env.CI)
    describe(title, () => {
      throw new Error(`${title}: missing ${missing.map(named).join(', ')}`);
    });
  else describe.skip(`${title} (missing: ${missing.map(named).join(', ')})`, body);
}

function named(need: Need): string {
  if (need === 'root') return need;
  const debian = packages[need];
  return debian !== need ? `${need} of package ${debian}` : need;
}
