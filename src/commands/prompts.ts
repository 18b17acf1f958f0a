import inquirer from 'inquirer';

/** Asks for a line of text on `output` (stderr), so that stdout stays the result's. Only where stdin is a terminal. */
export async function askText(output: NodeJS.WritableStream, message: string, preset?: string): Promise<string> {
  const prompt = inquirer.createPromptModule({ output });
  const { answer } = await prompt<{ answer: string }>([
    { type: 'input', name: 'answer', message, ...(preset !== undefined && { default: preset }) },
  ]);
  return answer;
}
