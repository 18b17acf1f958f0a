import { isLoopback, isWildcard } from '../steps/check/address.js';
import type { Socket } from '../steps/check/listening/allowed.js';
import type { Candidate, Subject } from './subject.js';

/** From here on the kernel gives ports away by itself: another one after each start. */
const firstEphemeral = 32_768;

export const ports: Subject = {
  title: 'Ports that listen',
  tag: 'ports',
  find(survey) {
    const lasting = survey.sockets.filter((socket) => socket.port < firstEphemeral && !isForwarded(socket));
    const passing = survey.sockets.filter(({ port, address }) => port >= firstEphemeral && !isLoopback(address));
    const checks: Candidate[] = groups(lasting).map(({ protocol, port, address, others }) => ({
      uses: 'check.port',
      name: `${protocol} port ${port} listens`,
      about: `${protocol} ${port}`,
      with: { port, ...(protocol === 'udp' && { protocol }), address },
      ...(others.length > 0 && { note: `it listens on ${others.join(' and ')}, too` }),
    }));
    const open = lasting.filter(({ protocol, address }) => protocol === 'tcp' && !isLoopback(address));
    const high = passing.filter(({ protocol }) => protocol === 'tcp');
    const listen: Candidate = {
      uses: 'check.listening',
      name: 'Nothing else is open to others',
      with: { allow: [...allowed(open), ...allowed(high)] },
      ...(high.length > 0 && {
        note: `ports from ${firstEphemeral} on may be others after the next start: fix them, or allow a range`,
      }),
    };
    return { checks: [...checks, listen] };
  },
};

/** Screens that sshd forwards for who is logged in now. */
function isForwarded({ port, address }: Socket): boolean {
  return port >= 6010 && port < 6064 && isLoopback(address);
}

interface Group {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** As `check.port` takes it. */
  readonly address: string;
  readonly others: readonly string[];
}

/** Sockets of one port are one check. */
function groups(sockets: readonly Socket[]): readonly Group[] {
  const keys = [...new Set(sockets.map(({ protocol, port }) => `${protocol} ${port}`))];
  return keys.map((key) => {
    const same = sockets.filter(({ protocol, port }) => `${protocol} ${port}` === key);
    const [{ protocol, port }] = same as [Socket];
    const addresses = same.map(({ address }) => address).toSorted();
    if (addresses.some(isWildcard)) return { protocol, port, address: 'any', others: [] };
    if (addresses.every(isLoopback)) return { protocol, port, address: 'loopback', others: [] };
    const [first = '', ...others] = addresses.filter((address) => !isLoopback(address));
    return { protocol, port, address: first, others };
  });
}

/** Entries of the allow list; where a port listens on one address only, on that one. */
function allowed(sockets: readonly Socket[]): readonly (string | number)[] {
  const list = sockets.toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
  const everywhere = new Set(list.filter(({ address }) => isWildcard(address)).map(({ port }) => port));
  const entries = list.map(({ port, address }) =>
    everywhere.has(port) ? port : `${address.includes(':') ? `[${address}]` : address}:${port}`,
  );
  return [...new Set(entries)];
}
