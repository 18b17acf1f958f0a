import { shellQuote } from '../execute/payload/payload.js';

/** One word of shell text, in quotes where it needs them. */
export function shellWord(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : shellQuote(value);
}

/** A command on several lines: the first words together, then a line an argument. */
export function shellCommand(program: readonly string[], args: readonly string[], indent = ''): string {
  return [program.map(shellWord).join(' '), ...args.map(shellWord)].join(` \\\n${indent}  `);
}
