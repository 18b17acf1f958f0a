import { expectSuccess } from '../../lines.js';
import { type ProbeOutput, UnreadableOutput } from '../../step.js';
import { CutText } from './match.js';

/** What the host said about one question. */
export interface Facts {
  /** Of a machine that writes addresses in /proc/net with the highest byte first. */
  readonly bigEndian: boolean;
  has(key: string): boolean;
  /** The first value under a key; throws when there is none. */
  value(key: string): string;
  values(key: string): readonly string[];
  text(name: string): string | CutText;
  /** Why an attribute cannot be told. */
  cannot(attribute: string): string | undefined;
}

interface Answer {
  readonly kind: string;
  readonly lines: [key: string, value: string][];
  readonly texts: Map<string, string[]>;
}

/** Reads the answers of the probe to `kinds`, in their order. */
export function readFacts(output: ProbeOutput, kinds: readonly string[], limit: number): readonly Facts[] {
  expectSuccess(output);
  const answers: Answer[] = [];
  let order = '';
  let ended = false;
  let text: string[] | undefined;
  // One byte a character until the texts are taken apart.
  for (const line of output.stdout.toString('latin1').split('\n').slice(0, -1)) {
    const answer = answers.at(-1);
    if (line.startsWith('|') && text) {
      text.push(line.slice(1));
      continue;
    }
    text = undefined;
    const tab = line.indexOf('\t');
    const key = line.slice(0, tab);
    const value = Buffer.from(line.slice(tab + 1), 'latin1').toString('utf8');
    if (tab < 1) throw new UnreadableOutput(`not a line of the probe: ${line.slice(0, 200)}`);
    if (key === 'question') answers.push({ kind: value, lines: [], texts: new Map() });
    else if (key === 'end') ended = true;
    else if (key === 'order' && !answer) order = value;
    else if (!answer) throw new UnreadableOutput(`not a line of the probe: ${line.slice(0, 200)}`);
    else if (key === 'text') {
      text = [];
      answer.texts.set(value, text);
    } else answer.lines.push([key, value]);
  }
  if (!ended) throw new UnreadableOutput('the answers are cut off');
  if (answers.map(({ kind }) => kind).join() !== kinds.join())
    throw new UnreadableOutput('an answer is missing or out of order');
  return answers.map((answer) => factsOf(answer, order === 'big', limit));
}

function factsOf({ lines, texts }: Answer, bigEndian: boolean, limit: number): Facts {
  const values = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  const decoded = (name: string): string | CutText => {
    const parts = texts.get(name);
    const whole = parts?.join('\n');
    if (!whole?.endsWith('.')) throw new UnreadableOutput(`the text ${name} is missing or cut off`);
    const bytes = Buffer.from(whole.slice(0, -1), 'latin1');
    return bytes.length < limit ? bytes.toString('utf8') : new CutText(bytes.toString('utf8'));
  };
  return {
    bigEndian,
    values,
    text: decoded,
    has: (key) => texts.has(key) || lines.some(([name]) => name === key),
    value(key) {
      const [first] = values(key);
      if (first === undefined) throw new UnreadableOutput(`the host did not tell ${key}`);
      return first;
    },
    cannot(attribute) {
      const reasons = values('cannot').map((value) => value.split('\t'));
      return reasons.find(([about]) => about === '*' || about === attribute)?.[1];
    },
  };
}
