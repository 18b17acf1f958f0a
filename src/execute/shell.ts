import { randomBytes } from 'node:crypto';
import type { Channel, ChannelExit, Connection, OutputHandlers, SecretLike } from '../transports/transport.js';

/** How to become root (or another user) on the host. `undefined`: stay who we are. */
export interface Privilege {
  readonly user?: string;
  readonly password?: SecretLike;
}

/** A POSIX shell on the host that reads its script from stdin, whatever the login shell is. */
export interface ShellRun {
  readonly exit: Promise<ChannelExit>;
  /** Why the shell never started; known once `exit` has settled. */
  refusal(): ShellRefusal | undefined;
  complete(): void;
  kill(): void;
}

export interface ShellRefusal {
  readonly reason:
    | 'sudo-refused'
    | 'sudo-password'
    | 'sudo-tty'
    | 'sudo-missing'
    | 'no-login'
    | 'forced-command'
    | 'no-shell';
  readonly summary: string;
}

export function newNonce(): string {
  return randomBytes(12).toString('hex');
}

/**
 * Starts `exec /bin/sh -s`, or its sudo form, and writes `payload` to it. Nothing else is ever sent as a command.
 * A sudo password is written once, only after sudo's own prompt with our nonce was seen: with NOPASSWD
 * sudo never asks, and a password sent unasked would become the payload's first line.
 */
export async function startShell(
  connection: Connection,
  payload: string,
  privilege: Privilege | undefined,
  output: OutputHandlers & { readonly sawFrame: () => boolean },
): Promise<ShellRun> {
  const early = new EarlyText();
  const gate = privilege?.password ? new SudoGate(newNonce()) : undefined;
  let channel: Channel | undefined;
  let exitStatus: number | null = null;

  const send = async () => {
    await channel?.write(payload);
    channel?.end();
  };
  const react = (action: GateAction | undefined) => {
    if (action === 'password') void privilege?.password?.reveal((password) => channel?.write(`${password}\n`));
    if (action === 'payload') void send();
    // A second prompt means that the password was wrong. Ending stdin makes sudo give up.
    if (action === 'wrong') channel?.end();
  };

  channel = await connection.exec(commandFor(privilege, gate), {
    onStdout(chunk) {
      if (!output.sawFrame()) early.push(chunk);
      const rest = gate ? gate.onStdout(chunk) : { forward: chunk };
      if (rest.forward.length > 0) output.onStdout(rest.forward);
      if (rest.action) react(rest.action);
    },
    onStderr(chunk) {
      if (!output.sawFrame()) early.push(chunk);
      output.onStderr(chunk);
      if (gate) react(gate.onStderr(chunk));
    },
  });
  if (!gate) void send();
  const opened = channel;
  const exit = opened.exit.then((end) => {
    exitStatus = end.status;
    return end;
  });
  return {
    exit,
    refusal: () =>
      output.sawFrame() ? undefined : classifyRefusal(early.text(), exitStatus, privilege, gate?.wrong ?? false),
    complete: () => opened.complete(),
    kill: () => opened.kill(),
  };
}

function commandFor(privilege: Privilege | undefined, gate: SudoGate | undefined): string {
  if (!privilege) return 'exec /bin/sh -s';
  // Names are validated with the inventory: no quoting is needed in any login shell.
  const user = privilege.user && privilege.user !== 'root' ? ` -u ${privilege.user}` : '';
  if (!gate) return `exec sudo -n${user} -- /bin/sh -s`;
  return `exec sudo -S${user} -p ${gate.prompt} -- /bin/sh -c 'echo ${gate.begin}; exec /bin/sh -s'`;
}

type GateAction = 'password' | 'payload' | 'wrong';

class SudoGate {
  readonly prompt: string;
  readonly begin: string;
  wrong = false;
  #open = false;
  #prompts = 0;
  #stdout = Buffer.alloc(0);
  #stderr = '';

  constructor(nonce: string) {
    this.prompt = `${nonce}-PASSWORD`;
    this.begin = `${nonce}-BEGIN`;
  }

  onStdout(chunk: Buffer): { readonly forward: Buffer; readonly action?: GateAction } {
    if (this.#open) return { forward: chunk };
    this.#stdout = Buffer.concat([this.#stdout, chunk]).subarray(-65_536);
    const start = this.#stdout.indexOf(`${this.begin}\n`);
    if (start === -1) return { forward: Buffer.alloc(0) };
    this.#open = true;
    return { forward: this.#stdout.subarray(start + this.begin.length + 1), action: 'payload' };
  }

  onStderr(chunk: Buffer): GateAction | undefined {
    if (this.#open) return undefined;
    this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-65_536);
    const seen = this.#stderr.split(this.prompt).length - 1;
    if (seen <= this.#prompts) return undefined;
    this.#prompts = seen;
    if (seen === 1) return 'password';
    this.wrong = true;
    return 'wrong';
  }
}

/** The first kilobytes that came before any frame: login banners, sudo's complaint, nologin's sentence. */
class EarlyText {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    if (this.#bytes >= 4_096) return;
    const kept = chunk.subarray(0, 4_096 - this.#bytes);
    this.#chunks.push(Buffer.from(kept));
    this.#bytes += kept.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

function classifyRefusal(
  text: string,
  status: number | null,
  privilege: Privilege | undefined,
  wrong: boolean,
): ShellRefusal | undefined {
  if (status === null) return undefined;
  if (privilege) {
    if (wrong || /incorrect password|Sorry, try again/i.test(text))
      return { reason: 'sudo-password', summary: 'sudo refused the password' };
    if (/you must have a tty/i.test(text)) {
      return {
        reason: 'sudo-tty',
        summary: 'sudo on this host insists on a terminal (requiretty); remove that setting for this user',
      };
    }
    if (/a password is required|a terminal is required/i.test(text)) {
      return {
        reason: 'sudo-refused',
        summary:
          'sudo wants a password and none is configured; allow NOPASSWD or set `sudo: { password: { secret: … } }`',
      };
    }
    if (/not in the sudoers|is not allowed to (?:execute|run)|may not run sudo/i.test(text)) {
      return { reason: 'sudo-refused', summary: 'this user may not use sudo here' };
    }
    if (status === 127 || /sudo: (?:command )?not found|Unknown command.*sudo/i.test(text)) {
      return { reason: 'sudo-missing', summary: 'sudo is not installed' };
    }
  }
  const said = firstLine(text);
  if (/account is (?:currently )?not available|nologin/i.test(text)) {
    return { reason: 'no-login', summary: `the account has no login shell: "${said}"` };
  }
  if (status === 0) {
    return {
      reason: 'forced-command',
      summary: `the login runs another command than ours${said ? `: "${said}"` : ''}`,
    };
  }
  return { reason: 'no-shell', summary: `/bin/sh did not start (exit ${status})${said ? `: "${said}"` : ''}` };
}

function firstLine(text: string): string {
  return (text.split('\n').find((line) => line.trim() !== '') ?? '').trim().slice(0, 200);
}
