import { existsSync } from 'node:fs';
import { printable } from '../printable.js';
import { type Target, TransportError } from '../transport.js';
import type { AgentListing, FilteredAgent } from './agent.js';
import type { IdentityFile, IdentityFiles } from './keys.js';
import type { AnyAuthMethod, Prompt } from './ssh2.js';

/** Answers ssh2's question "what next?" with the methods we have, and remembers what was tried. */
export interface Credentials {
  next(methodsLeft: readonly string[] | null): AnyAuthMethod | false;
  /** The login was refused: what was tried, what the host would take. */
  refusal(): TransportError;
}

interface Method {
  readonly type: 'publickey' | 'agent' | 'password' | 'keyboard-interactive';
  /** How a message names it. */
  label(): string;
  make(): AnyAuthMethod;
}

/**
 * Gathers what can be offered to the host, before it is contacted. Rejects with a `refused` TransportError
 * when a key file is unsafe or of no use, or nothing is left to log in with.
 */
export async function gatherCredentials(
  target: Target,
  files: IdentityFiles,
  agents: AgentListing,
): Promise<Credentials> {
  const loaded = await Promise.all(target.identities.map(async (path) => files.load(path, target.passphrase)));
  const unusable = loaded.find((identity) => identity.kind === 'unusable');
  if (unusable?.kind === 'unusable' && !target.identitiesOptional) throw unusable.error;
  const identities = loaded.filter((identity) => identity.kind !== 'unusable');

  const methods: Method[] = [];
  for (const identity of identities) if (identity.kind === 'key') methods.push(keyMethod(target, identity));
  const agent = openAgent(target, identities, agents);
  if (agent) methods.push(agentMethod(target, agent));
  if (target.password) methods.push(...passwordMethods(target));
  if (methods.length === 0) throw nothingToOffer(target, identities);
  return sequence(target, methods, identities);
}

function openAgent(
  target: Target,
  identities: readonly IdentityFile[],
  agents: AgentListing,
): FilteredAgent | undefined {
  if (target.agent === undefined || target.agent === '') return undefined;
  if (!existsSync(target.agent)) {
    if (identities.some((identity) => identity.kind === 'key') || target.password) return undefined;
    throw new TransportError(
      'agent-unavailable',
      'refused',
      `there is no agent at ${printable(target.agent)}, and nothing else to log in to ${target.name} with`,
      { hint: 'start ssh-agent and ssh-add the key, or name an identity' },
    );
  }
  if (!target.identitiesOnly) return agents.open(target.agent);
  const named = identities.flatMap((identity) => {
    if (identity.kind === 'key') return [identity.key.getPublicSSH()];
    return identity.kind === 'encrypted' && identity.publicKey ? [identity.publicKey] : [];
  });
  return named.length > 0 ? agents.open(target.agent, named) : undefined;
}

function keyMethod(target: Target, identity: Extract<IdentityFile, { kind: 'key' }>): Method {
  return {
    type: 'publickey',
    label: () => identity.path,
    make: () => ({ type: 'publickey', username: target.user, key: identity.key }),
  };
}

function agentMethod(target: Target, agent: FilteredAgent): Method {
  return {
    type: 'agent',
    label: () => `the agent (${agent.offered} ${agent.offered === 1 ? 'key' : 'keys'})`,
    make: () => ({ type: 'agent', username: target.user, agent }),
  };
}

function passwordMethods(target: Target): readonly Method[] {
  const { password, user: username } = target;
  if (!password) return [];
  return [
    {
      type: 'password',
      label: () => 'the password',
      make: () => password.reveal((value) => ({ type: 'password', username, password: value })),
    },
    {
      type: 'keyboard-interactive',
      label: () => 'the password (keyboard-interactive)',
      make: () => {
        let answered = false;
        const prompt = (_n: string, _i: string, _l: string, prompts: Prompt[], finish: (answers: string[]) => void) => {
          // One hidden question is the password; anything else is not ours to answer, and never twice.
          const [only] = prompts;
          const isPassword = prompts.length === 1 && only !== undefined && only.echo !== true && !answered;
          answered = true;
          if (isPassword) password.reveal((value) => finish([value]));
          else finish(prompts.map(() => ''));
        };
        return { type: 'keyboard-interactive', username, prompt };
      },
    },
  ];
}

function sequence(target: Target, methods: readonly Method[], identities: readonly IdentityFile[]): Credentials {
  const queue = [...methods];
  const tried: Method[] = [];
  let offered: readonly string[] = [];
  return {
    next(methodsLeft) {
      if (methodsLeft) offered = methodsLeft;
      for (;;) {
        const method = queue.shift();
        if (!method) return false;
        const wire = method.type === 'agent' ? 'publickey' : method.type;
        if (methodsLeft && !methodsLeft.includes(wire)) continue;
        tried.push(method);
        return method.make();
      }
    },
    refusal() {
      const list = tried.map((method) => method.label()).join(', ') || 'nothing that it takes';
      const takes = offered.length > 0 ? `; it takes ${printable(offered.join(', '))}` : '';
      const locked = identities.filter((identity) => identity.kind === 'encrypted').map((identity) => identity.path);
      const skipped = locked.length > 0 ? `; not tried, locked with a passphrase: ${locked.join(', ')}` : '';
      const certified = identities.find((identity) => identity.kind === 'key' && identity.certificate);
      const hint = certified
        ? `${certified.path}-cert.pub is a certificate, which ssh2 cannot use: set transport: openssh`
        : `check that ${printable(target.user)} may log in there with it`;
      return new TransportError(
        'auth-failed',
        'refused',
        `${target.name} refused ${printable(target.user)}; tried ${list}${takes}${skipped}`,
        { hint },
      );
    },
  };
}

function nothingToOffer(target: Target, identities: readonly IdentityFile[]): TransportError {
  const encrypted = identities.find((identity) => identity.kind === 'encrypted');
  if (encrypted?.kind === 'encrypted') return encrypted.error;
  return new TransportError(
    'auth-failed',
    'refused',
    `there is no key, agent or password to log in to ${target.name} as ${printable(target.user)}`,
    { hint: 'name an identity, or start ssh-agent and ssh-add the key' },
  );
}
