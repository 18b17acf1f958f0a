import type { Command } from 'commander';
import type { CommandContext } from './command.js';

/** `opsctl completion SHELL` prints the script that a shell loads; on TAB it calls `opsctl complete`. */
export function define(command: Command, context: CommandContext): void {
  const shells = ['bash', 'zsh', 'fish', 'powershell'];
  command
    .addArgument(command.createArgument('<shell>', 'your shell').choices(shells))
    .addHelpText(
      'after',
      [
        '\nLoad it when the shell starts:',
        '  bash  echo \'eval "$(opsctl completion bash)"\' >> ~/.bashrc',
        '  zsh   echo \'eval "$(opsctl completion zsh)"\' >> ~/.zshrc    (after compinit)',
        '  fish  opsctl completion fish > ~/.config/fish/completions/opsctl.fish',
      ].join('\n'),
    )
    .action(async (shell: string) => {
      const { bashScript, printScript } = await import('./completion-script.js');
      if (shell === 'bash') await context.terminal.out(bashScript);
      else printScript(shell);
    });
}
