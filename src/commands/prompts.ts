import type { ReadStream } from 'node:tty';
import inquirer from 'inquirer';
import { exitCode, UserError } from '../errors.js';

/** Asks for a line of text on `output` (stderr), so that stdout stays the result's. Only where `input` is a terminal. */
export async function askText(
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
  message: string,
  preset?: string,
  signal?: AbortSignal,
): Promise<string> {
  const ended = new AbortController();
  const onKey = (_text: unknown, key?: { readonly ctrl?: boolean; readonly name?: string }) => {
    // Ctrl-D on an empty line closes the input, and the question would wait for ever.
    if (key?.ctrl && key.name === 'd') setImmediate(() => (input as ReadStream).isPaused() && ended.abort());
  };
  input.on('keypress', onKey);
  const prompt = inquirer.createPromptModule({
    input,
    output,
    signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
  });
  try {
    const { answer } = await prompt<{ answer: string }>([
      { type: 'input', name: 'answer', message, ...(preset !== undefined && { default: preset }) },
    ]);
    return answer;
  } catch (error) {
    // Ctrl-C at the question: the terminal is in raw mode there, so that no signal comes.
    if ((error as Error).name !== 'ExitPromptError' && !ended.signal.aborted) throw error;
    throw new UserError({ code: 'E_CANCELLED', what: 'cancelled; nothing was started' }, exitCode.interrupted, {
      cause: error,
    });
  } finally {
    input.off('keypress', onKey);
  }
}
