import type { Transport } from './transport.js';

/** One line a transport. Loaded on first use. */
export const transports: Readonly<Record<string, () => Promise<Transport>>> = {
  local: async () => (await import('./local.js')).createLocalTransport(),
  ssh: async () => (await import('./ssh.js')).createSshTransport(),
  openssh: async () => (await import('./openssh.js')).createOpensshTransport(),
};
