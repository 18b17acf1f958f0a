import { script } from '@bomb.sh/tab';

/** The package writes the script to stdout itself. */
export function printScript(shell: string): void {
  script(shell, 'opsctl', 'opsctl');
}
