import type { Command } from 'commander';
import type { CommandContext } from './command.js';

/** `opsctl completion SHELL` prints the script that a shell loads; on TAB it calls `opsctl complete`. */
export function define(command: Command, _context: CommandContext): void {
  const shells = ['bash', 'zsh', 'fish', 'powershell'];
  command
    .addArgument(command.createArgument('<shell>', 'your shell').choices(shells))
    .addHelpText('after', '\nbash: echo \'eval "$(opsctl completion bash)"\' >> ~/.bashrc')
    .action(async (shell: string) => {
      const { printScript } = await import('./completion-script.js');
      printScript(shell);
    });
}
