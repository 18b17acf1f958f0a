import type { CommandContext } from '../commands/command.js';
import { exitCode, UserError } from '../errors.js';
import type { RunContext } from '../execute/context.js';
import type { Privilege } from '../execute/shell.js';
import type { Host } from '../inventory/inventory.js';
import type { Plan } from '../plan/plan.js';
import type { Secret } from '../secrets/secret.js';
import { transports } from '../transports/index.js';
import { SshConfig } from '../transports/ssh-config.js';
import { checkIdentities, resolveTarget, type TargetContext } from '../transports/target.js';
import type { Target, Transport } from '../transports/transport.js';
import type { RunOptions } from './options.js';
import type { Prepared } from './prepare.js';

/** How the hosts of a run are reached. Opened before the run, closed after it. */
export interface Reach {
  targetOf(host: string): Target;
  privilegeOf(host: string): Privilege;
  connect: RunContext['connect'];
  /** What should be said about the run: host keys that were added, broken lines of known_hosts. */
  notes(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Resolves every target and checks its keys. Throws a UserError before any contact. */
export async function openReach(
  plan: Plan,
  prepared: Prepared,
  options: RunOptions,
  context: CommandContext,
  secrets: ReadonlyMap<string, Secret>,
): Promise<Reach> {
  const hosts = plan.hosts.map(({ host }) => host);
  const sshConfig = new SshConfig({ env: context.env });
  const targetContext: TargetContext = {
    env: context.env,
    cwd: prepared.project.root,
    knownHosts: prepared.project.knownHosts,
    trust: options.trust ?? 'strict',
    secret: (reference) => secrets.get(reference.secret) as Secret,
    host: (name) => prepared.inventory.hosts.get(name),
    sshConfig,
  };
  const targets = await resolveAll(hosts, options, targetContext);
  const identityErrors = await checkIdentities([...targets.values()], targetContext.host);
  refuseTogether(identityErrors);
  const privileges = new Map(hosts.map((host) => [host.name, privilegeOf(host, secrets)]));
  const open = new Map<string, Promise<Transport>>();
  const transportOf = (name: string) => {
    let transport = open.get(name);
    if (!transport) {
      const load = transports[name];
      if (!load) throw new Error(`no transport ${name}`);
      transport = load();
      open.set(name, transport);
    }
    return transport;
  };
  return {
    targetOf: (host) => targets.get(host) as Target,
    privilegeOf: (host) => privileges.get(host) ?? {},
    connect: async (target, signal) => (await transportOf(target.transport)).open(target, signal),
    async notes() {
      return (await Promise.all(open.values())).flatMap(({ warnings = [], addedHostKeys = [] }) => [
        ...warnings,
        ...addedHostKeys.map(
          ({ host, fingerprint, file }) => `trusted on first contact: ${host} ${fingerprint}, written to ${file}`,
        ),
      ]);
    },
    async close() {
      for (const transport of await Promise.all(open.values())) await transport.dispose();
    },
  };
}

async function resolveAll(
  hosts: readonly Host[],
  options: RunOptions,
  context: TargetContext,
): Promise<Map<string, Target>> {
  const targets = new Map<string, Target>();
  const errors: UserError[] = [];
  for (const host of hosts) {
    try {
      targets.set(host.name, await resolveTarget(withFlags(host, options), context));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push(error);
    }
  }
  refuseTogether(errors);
  return targets;
}

/** What the command line says about reaching hosts outranks the inventory. */
function withFlags(host: Host, { user, transport }: RunOptions): Host {
  if (user === undefined && transport === undefined) return host;
  const connect = {
    ...host.connect,
    ...(user !== undefined && { user }),
    ...(transport !== undefined && { transport }),
  };
  return { name: host.name, groups: host.groups, vars: host.vars, origins: host.origins, connect };
}

/** All problems at once; a refusal (unsafe key file) outranks a mistake in a document. */
function refuseTogether(errors: readonly UserError[]): void {
  if (errors.length === 0) return;
  const exit = errors.some((error) => error.exit === exitCode.refused) ? exitCode.refused : exitCode.usage;
  throw new UserError(
    errors.flatMap((error) => error.problems),
    exit,
  );
}

function privilegeOf(host: Host, secrets: ReadonlyMap<string, Secret>): Privilege {
  const { sudo } = host.connect;
  if (typeof sudo !== 'object') return {};
  const password = sudo.password && secrets.get(sudo.password.secret);
  return { ...(sudo.user !== undefined && { user: sudo.user }), ...(password && { password }) };
}
