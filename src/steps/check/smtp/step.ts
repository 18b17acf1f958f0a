import { defineControllerStep } from '../../step.js';
import { type Dialogue, ServerFault, shownText } from '../dialogue.js';
import { type MailData, type MailParams, mailStep } from '../mail.js';

export default defineControllerStep<MailParams, MailData>({
  kind: 'check.smtp',
  summary: 'Greeting, extensions, STARTTLS and certificate of a mail server',
  ...mailStep({
    ports: { starttls: 25, none: 25, implicit: 465 },
    async greet(dialogue) {
      return (await reply(dialogue, 220)).join(' ');
    },
    async capabilities(dialogue) {
      dialogue.write(`EHLO ${ownName(dialogue)}\r\n`);
      const [, ...extensions] = await reply(dialogue, 250);
      return extensions;
    },
    async startTls(dialogue) {
      dialogue.write('STARTTLS\r\n');
      await reply(dialogue, 220);
    },
    leave: 'QUIT\r\n',
  }),
});

/** Most lines of one reply. */
const longest = 200;

/** The texts of a reply with this code. Any other code is the server's way to say no. */
async function reply(dialogue: Dialogue, wanted: number): Promise<readonly string[]> {
  const texts: string[] = [];
  let first: string | undefined;
  while (texts.length < longest) {
    const line = await dialogue.line();
    const [, code, more, text = ''] = /^([2-5]\d\d)(?:([ -])(.*))?$/.exec(line) ?? [];
    if (code === undefined) throw new ServerFault('protocol-error', `not the words of SMTP: ${shownText(line)}`);
    first ??= code;
    if (code !== first) throw new ServerFault('protocol-error', `a reply with two codes, ${first} and ${code}`);
    texts.push(text);
    if (more === '-') continue;
    if (Number(code) === wanted) return texts;
    throw new ServerFault('smtp-refused', `the server says ${code} ${shownText(texts.join(' '))}`);
  }
  throw new ServerFault('protocol-error', `a reply of more than ${longest} lines`);
}

/** A client without a name gives its address (RFC 5321, 4.1.4). */
function ownName({ localAddress = '127.0.0.1' }: Dialogue): string {
  const address = localAddress.replace(/^::ffff:/, '').replace(/%.*$/, '');
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}
