import { expectSuccess } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';
import { type Perfdatum, readPerfdata } from './perfdata.js';

/** How much text becomes data. */
const textLimit = 16 * 1024;

export interface PluginData {
  /** Path on the host. */
  readonly plugin: string;
  readonly status: number;
  /** First line without its numbers. */
  readonly text: string;
  /** The lines that follow, without numbers. */
  readonly longText: string;
  readonly perfdata: readonly Perfdatum[];
  /** Labels whose value the plugin could not tell. */
  readonly unknown: readonly string[];
  /** Parts of the performance data that are none. */
  readonly unreadable: readonly string[];
  /** Last line of standard error. */
  readonly error: string;
}

export function readPlugin(output: ProbeOutput): PluginData {
  expectSuccess(output);
  const match = /^plugin\t(\/[^\n]*)\n([\s\S]*)\nstatus\t(\d{1,3})\n$/.exec(text(output.stdout));
  if (!match) throw new UnreadableOutput('the exit status of the plugin is missing');
  const [, plugin = '', said = '', status] = match;
  const { first, long, numbers } = splitText(said.replaceAll('\r\n', '\n'));
  const { list, unknown, unreadable } = readPerfdata(numbers);
  return {
    plugin,
    status: Number(status),
    text: first.slice(0, textLimit),
    longText: long.slice(0, textLimit),
    perfdata: list,
    unknown,
    unreadable,
    error: text(output.stderr).trim().split('\n').at(-1)?.slice(0, 200) ?? '',
  };
}

/**
 * `TEXT | NUMBERS`, then lines of long text. After the first `|` in those, all the rest is numbers.
 */
function splitText(said: string): { readonly first: string; readonly long: string; readonly numbers: string } {
  // A plugin that starts with an empty line still has something to say.
  const [head = '', ...rest] = said.trim().split('\n');
  const [first, inFirst] = atBar(head);
  const [long, inLong] = atBar(rest.join('\n'));
  return { first: first.trim(), long: long.trim(), numbers: `${inFirst}\n${inLong}` };
}

function atBar(text: string): readonly [before: string, after: string] {
  const at = text.indexOf('|');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
