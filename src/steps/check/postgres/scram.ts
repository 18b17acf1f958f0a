import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ServerFault } from '../dialogue.js';

/** Rounds that a server may ask of us; PostgreSQL itself uses 4096. More would be our time for its fun. */
const mostRounds = 100_000;

const stretch = promisify(pbkdf2);
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** One login with SCRAM-SHA-256 (RFC 5802, 7677), without channel binding. */
export interface Scram {
  /** What the client says first. */
  readonly first: string;
  /** What it says to the first words of the server. */
  answer(serverFirst: string, password: string): Promise<string>;
  /** Whether the last words of the server prove that it knows the password, too. */
  verify(serverFinal: string): void;
}

/** PostgreSQL has the user from before, and looks at no name here. */
export function beginScram(nonce: string = randomBytes(18).toString('base64'), user = ''): Scram {
  const bare = `n=${user},r=${nonce}`;
  let signature: Buffer | undefined;
  return {
    first: `n,,${bare}`,
    async answer(serverFirst, password) {
      const [, both = '', salt = '', rounds = ''] =
        /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,|$)/.exec(serverFirst) ?? [];
      if (!both.startsWith(nonce) || both.length <= nonce.length)
        throw new ServerFault('protocol-error', 'the login is not SCRAM');
      if (Number(rounds) < 1 || Number(rounds) > mostRounds)
        throw new ServerFault('protocol-error', `the login wants ${rounds} rounds of a hash`);
      const salted = await stretch(
        password.normalize('NFKC'),
        Buffer.from(salt, 'base64'),
        Number(rounds),
        32,
        'sha256',
      );
      const key = hmac(salted, 'Client Key');
      const final = `c=biws,r=${both}`;
      const words = `${bare},${serverFirst},${final}`;
      const mask = hmac(createHash('sha256').update(key).digest(), words);
      signature = hmac(hmac(salted, 'Server Key'), words);
      return `${final},p=${Buffer.from(key.map((byte, index) => byte ^ (mask[index] ?? 0))).toString('base64')}`;
    },
    verify(serverFinal) {
      const shown = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64');
      if (!signature || shown.length !== signature.length || !timingSafeEqual(shown, signature))
        throw new ServerFault('untrusted-server', 'the server does not know the password of the user');
    },
  };
}
