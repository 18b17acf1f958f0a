import inquirer from 'inquirer';

/** Asks one question on the terminal. Call it only where there is one: without, it waits for ever. */
export async function askText(message: string): Promise<string> {
  const { answer } = await inquirer.prompt<{ answer: string }>([{ type: 'input', name: 'answer', message }]);
  return answer;
}
