import inquirer from 'inquirer';
import { exitCode, UserError } from '../errors.js';

/** Asks for a line of text on `output` (stderr), so that stdout stays the result's. Only where stdin is a terminal. */
export async function askText(
  output: NodeJS.WritableStream,
  message: string,
  preset?: string,
  signal?: AbortSignal,
): Promise<string> {
  const prompt = inquirer.createPromptModule({ output, ...(signal && { signal }) });
  try {
    const { answer } = await prompt<{ answer: string }>([
      { type: 'input', name: 'answer', message, ...(preset !== undefined && { default: preset }) },
    ]);
    return answer;
  } catch (error) {
    // Ctrl-C and Ctrl-D at the question. The terminal is in raw mode there: no signal comes.
    if ((error as Error).name !== 'ExitPromptError') throw error;
    throw new UserError({ code: 'E_CANCELLED', what: 'cancelled; nothing was started' }, exitCode.interrupted, {
      cause: error,
    });
  }
}
