import { defineControllerStep } from '../../step.js';
import { type Dialogue, ServerFault, shownText } from '../dialogue.js';
import { type MailData, type MailParams, mailStep } from '../mail.js';

export default defineControllerStep<MailParams, MailData>({
  kind: 'check.imap',
  summary: 'Greeting, capabilities, STARTTLS and certificate of an IMAP server',
  ...mailStep({
    ports: { starttls: 143, none: 143, implicit: 993 },
    async greet(dialogue) {
      const line = await dialogue.line();
      const [, status, text = ''] = /^\* (OK|PREAUTH|BYE)(?: (.*))?$/i.exec(line) ?? [];
      if (status === undefined) throw new ServerFault('protocol-error', `not the words of IMAP: ${shownText(line)}`);
      if (status.toUpperCase() === 'BYE')
        throw new ServerFault('imap-refused', `the server says BYE ${shownText(text)}`);
      return text;
    },
    async capabilities(dialogue) {
      const lines = await command(dialogue, 'CAPABILITY');
      const list = lines.flatMap((line) => /^\* CAPABILITY (.+)$/i.exec(line)?.[1]?.split(/ +/) ?? []);
      if (list.length === 0) throw new ServerFault('protocol-error', 'the server does not tell its capabilities');
      return list;
    },
    async startTls(dialogue) {
      await command(dialogue, 'STARTTLS');
    },
    leave: 'z LOGOUT\r\n',
  }),
});

/** Most lines before the end of one answer. */
const longest = 200;

/** What the server says without being asked until it says that the command is done. */
async function command(dialogue: Dialogue, name: string): Promise<readonly string[]> {
  const tag = name.slice(0, 3).toLowerCase();
  dialogue.write(`${tag} ${name}\r\n`);
  const lines: string[] = [];
  while (lines.length < longest) {
    const line = await dialogue.line(16_384);
    const [, status, text = ''] = new RegExp(`^${tag} (OK|NO|BAD)(?: (.*))?$`, 'i').exec(line) ?? [];
    if (status?.toUpperCase() === 'OK') return lines;
    if (status !== undefined)
      throw new ServerFault('imap-refused', `the server says ${status} to ${name}: ${shownText(text)}`);
    if (/^\* BYE/i.test(line)) throw new ServerFault('imap-refused', `the server says ${shownText(line.slice(2))}`);
    if (!line.startsWith('* ')) throw new ServerFault('protocol-error', `not the words of IMAP: ${shownText(line)}`);
    lines.push(line);
  }
  throw new ServerFault('protocol-error', `an answer of more than ${longest} lines`);
}
