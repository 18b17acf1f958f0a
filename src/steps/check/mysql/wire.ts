import { Duplex } from 'node:stream';
import { type Dialogue, ServerFault } from '../dialogue.js';

/** How the connection is to be secured; undefined for one in the clear. */
export type Secured = { readonly servername: string; readonly ca?: string | undefined } | undefined;

/** Most bytes of the first packet of a server. */
const longestGreeting = 1_024;

/** Bytes of a login that ask for TLS when they come alone. */
const tlsRequest = 32;
const speaksTls = 0x0800;

/**
 * What the library sees of a connection: packets in order, within the time and the amount of a dialogue, and never
 * before the server has shown itself to be the right one. TLS begins between the greeting and the login, and the
 * library knows nothing of it. The packet that asks for it has a number of its own, so that the two sides count
 * differently until the login is done.
 */
export class Wire extends Duplex {
  /** Why the connection cannot go on. */
  readonly broken: Promise<never>;
  readonly #dialogue: Dialogue;
  #break: (error: unknown) => void = () => {};
  /** Packets that the library has not seen. */
  #hidden = 0;
  /** Number of the next packet of the server. */
  #next = 0;
  #firstWrite: ((packet: Buffer) => Promise<void>) | undefined;

  constructor(dialogue: Dialogue, secured: Secured) {
    super();
    this.#dialogue = dialogue;
    this.broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.broken.catch(() => {});
    this.#run(secured).catch((error: unknown) => {
      this.#break(error);
      this.destroy();
    });
  }

  override _read(): void {}

  override _write(packet: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const first = this.#firstWrite;
    this.#firstWrite = undefined;
    (first ? first(packet) : this.#send(packet)).then(
      () => done(),
      (error: Error) => done(error),
    );
  }

  async #run(secured: Secured): Promise<void> {
    const greeting = await this.#receive(longestGreeting);
    // A server that is full says so in place of a greeting.
    const refused = greeting[4] === 0xff;
    if (!refused && greeting[4] !== 10) throw notMysql();
    if (secured && !refused) {
      if (!offersTls(greeting)) throw new ServerFault('no-tls', 'the server does not speak TLS');
      await new Promise<void>((resolve, reject) => {
        this.#firstWrite = (login) => this.#secure(login, secured).then(resolve, reject);
        this.push(greeting);
      });
    } else this.push(greeting);
    while (true) this.push(await this.#receive());
  }

  async #secure(login: Buffer, secured: NonNullable<Secured>): Promise<void> {
    const asking = Buffer.from(login.subarray(0, 4 + tlsRequest));
    asking.writeUIntLE(tlsRequest, 0, 3);
    for (const packet of [asking, login]) packet.writeUInt16LE(packet.readUInt16LE(4) | speaksTls, 4);
    this.#dialogue.write(asking);
    await this.#dialogue.verified(secured);
    this.#hidden = 1;
    await this.#send(login);
  }

  async #send(packet: Buffer): Promise<void> {
    // Each command counts from 0 again.
    if (packet[3] === 0) this.#hidden = 0;
    packet[3] = ((packet[3] ?? 0) + this.#hidden) % 256;
    this.#next = (packet[3] + 1) % 256;
    this.#dialogue.write(packet);
  }

  async #receive(longest = 0xffffff): Promise<Buffer> {
    const packet = await this.#dialogue.read((bytes) => {
      if (bytes.length < 4) return undefined;
      const size = bytes.readUIntLE(0, 3);
      if (size === 0 || size > longest || bytes[3] !== this.#next) throw notMysql();
      return bytes.length < size + 4 ? undefined : { value: Buffer.from(bytes.subarray(0, size + 4)), used: size + 4 };
    });
    this.#next = (this.#next + 1) % 256;
    packet[3] = ((packet[3] ?? 0) + 256 - this.#hidden) % 256;
    return packet;
  }
}

/** The flags of a greeting are behind its version, a number and half of a challenge. */
function offersTls(greeting: Buffer): boolean {
  const at = greeting.indexOf(0, 5) + 14;
  if (at < 19 || at + 2 > greeting.length) throw notMysql();
  return (greeting.readUInt16LE(at) & speaksTls) !== 0;
}

export function notMysql(): ServerFault {
  return new ServerFault('protocol-error', 'not the words of MySQL');
}
