import { randomInt } from 'node:crypto';
import type { Dial } from '../../step.js';
import type { ConnectionFailure } from '../connection.js';
import { exchange } from '../datagram.js';
import { converse, ServerFault } from '../dialogue.js';
import { shownEndpoint } from '../endpoint.js';
import { BadMessage, decodeReply, encodeQuestion, type Question, type Reply } from './message.js';

export interface ServerReply {
  /** As the author wrote it. */
  readonly server: string;
  readonly failure: ConnectionFailure | null;
  readonly reply: Reply | null;
  /** Seconds until the whole reply was there. */
  readonly seconds: number | null;
}

/** Asks one server, and once more without EDNS when it does not understand that (RFC 6891, 7). */
export async function askServer(
  server: string,
  wanted: Omit<Question, 'id'>,
  seconds: number,
  signal: AbortSignal,
  dial?: Dial,
): Promise<ServerReply> {
  const first = await askOnce(server, wanted, true, seconds, signal, dial);
  if (first.reply?.rcode !== 'FORMERR' && first.reply?.rcode !== 'NOTIMP') return first;
  const left = seconds - (first.seconds ?? 0);
  if (left <= 0) return first;
  const plain = await askOnce(server, wanted, false, left, signal, dial);
  return { ...plain, seconds: plain.seconds === null ? null : (first.seconds ?? 0) + plain.seconds };
}

/** Over UDP, and over TCP when the reply does not fit. */
async function askOnce(
  server: string,
  wanted: Omit<Question, 'id'>,
  extended: boolean,
  seconds: number,
  signal: AbortSignal,
  dial?: Dial,
): Promise<ServerReply> {
  const question = { ...wanted, id: randomInt(0x10000) };
  const message = encodeQuestion(question, extended);
  const target = { ...readServer(server), seconds };
  const name = shownEndpoint(target.address, target.port).replace(/:53$/, '');
  try {
    // SSH carries no datagrams: through a host it is TCP from the start.
    const short = dial
      ? { seconds: 0 }
      : await exchange(
          target,
          signal,
          () => message,
          (datagram) => decodeReply(datagram, question),
        );
    if ('value' in short && !short.value?.truncated)
      return { server: name, failure: short.failure, reply: short.value, seconds: short.seconds };
    const left = seconds - (short.seconds ?? 0);
    const long = await converse({ ...target, seconds: left, limit: 65_537, dial }, signal, async (dialogue) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      dialogue.write(Buffer.concat([length, message]));
      const size = (await dialogue.bytes(2)).readUInt16BE();
      return decodeWhole(await dialogue.bytes(size), question);
    });
    return {
      server: name,
      failure: long.failure && { ...long.failure, detail: `over TCP: ${long.failure.detail}` },
      reply: long.value,
      seconds: (short.seconds ?? 0) + long.seconds,
    };
  } catch (error) {
    if (!(error instanceof BadMessage)) throw error;
    return {
      server: name,
      failure: { reason: 'protocol-error', detail: error.message, proven: true },
      reply: null,
      seconds: null,
    };
  }
}

function decodeWhole(message: Buffer, question: Question): Reply {
  try {
    const reply = decodeReply(message, question);
    if (!reply) throw new BadMessage('the reply is to another question');
    if (reply.truncated) throw new BadMessage('the reply is cut off');
    return reply;
  } catch (error) {
    if (error instanceof BadMessage) throw new ServerFault('protocol-error', error.message);
    throw error;
  }
}

/** `10.0.0.1`, `10.0.0.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`, or with a name. */
export function readServer(text: string): { address: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return { address: text, port: 53 };
  return { address: match[1] ?? match[2] ?? text, port: Number(match[3] ?? 53) };
}
