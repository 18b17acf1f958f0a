/** What a time server said (SNTP, RFC 4330). */
export interface NtpReply {
  /** Seconds that its clock is ahead of the one of this machine; negative when it is behind. */
  readonly offset: number;
  /** Seconds on the way, there and back. The offset is right to half of them. */
  readonly delay: number;
  readonly stratum: number;
  /** The server says of itself that it does not know the time (leap indicator 3). */
  readonly unsynchronised: boolean;
  /** A leap second is announced: 1 for one more, -1 for one less. */
  readonly leap: -1 | 0 | 1;
  /** With stratum 0, why it will not tell: `RATE`, `DENY` … */
  readonly kiss: string;
}

/** Seconds from 1900 to 1970. */
const epoch = 2_208_988_800;

/** The nonce stands where our time would: the server sends it back, and learns nothing of our clock. */
export function question(nonce: Buffer): Buffer {
  const message = Buffer.alloc(48);
  // Version 4, client.
  message[0] = 0x23;
  nonce.copy(message, 40);
  return message;
}

/**
 * The reply to the question with this nonce; undefined when it is none.
 * @param asked when the question was sent, seconds since 1970 by our clock
 * @param took seconds from question to reply
 */
export function readReply(message: Buffer, nonce: Buffer, asked: number, took: number): NtpReply | undefined {
  if (message.length < 48 || !message.subarray(24, 32).equals(nonce)) return undefined;
  const [flags = 0, stratum = 0] = message;
  if ((flags & 7) !== 4) return undefined;
  const received = timestamp(message, 32);
  const sent = timestamp(message, 40);
  const leap = flags >> 6;
  return {
    offset: (received - asked + (sent - (asked + took))) / 2,
    delay: Math.max(0, took - Math.max(0, sent - received)),
    stratum,
    unsynchronised: leap === 3 || received === 0 || sent === 0,
    leap: leap === 1 ? 1 : leap === 2 ? -1 : 0,
    kiss: stratum === 0 ? message.toString('latin1', 12, 16).replace(/[^A-Z0-9]/gi, '') : '',
  };
}

/** Seconds since 1970; 0 when the server left it away. */
function timestamp(message: Buffer, at: number): number {
  const seconds = message.readUInt32BE(at);
  const fraction = message.readUInt32BE(at + 4);
  if (seconds === 0 && fraction === 0) return 0;
  // The count begins again in February 2036.
  const era = seconds < 0x80000000 ? 0x100000000 : 0;
  return seconds + era - epoch + fraction / 0x100000000;
}
