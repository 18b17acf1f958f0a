import { isLoopback, isWildcard } from '../steps/check/address.js';
import type { Socket } from '../steps/check/listening/allowed.js';
import { type Candidate, givenFor, type Subject } from './subject.js';

/** From here on the kernel gives ports away by itself: another one after each start. */
const firstEphemeral = 32_768;

export const ports: Subject = {
  title: 'Ports that listen',
  tag: 'ports',
  find(survey) {
    const given = givenFor(survey);
    const lasting = survey.sockets.filter(
      (socket) => socket.port < firstEphemeral && !isForwarded(socket) && !isDhcpClient(socket),
    );
    const passing = survey.sockets.filter(({ port, address }) => port >= firstEphemeral && !isLoopback(address));
    const checks: Candidate[] = groups(lasting, given).map(({ protocol, port, address, note }) => ({
      uses: 'check.port',
      name: `${protocol} port ${port} listens`,
      about: `${protocol} ${port}`,
      with: { port, ...(protocol === 'udp' && { protocol }), ...(address !== undefined && { address }) },
      ...(note !== undefined && { note }),
    }));
    const open = lasting.filter(({ protocol, address }) => protocol === 'tcp' && !isLoopback(address));
    const high = passing.filter(({ protocol }) => protocol === 'tcp');
    const listen: Candidate = {
      uses: 'check.listening',
      name: 'Nothing else is open to others',
      with: { allow: [...allowed(open, given), ...allowed(high, given)] },
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

/** Opened while an address is renewed, and closed again. */
function isDhcpClient({ protocol, port }: Socket): boolean {
  return protocol === 'udp' && (port === 68 || port === 546);
}

interface Group {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** As `check.port` takes it; undefined where it may be another one tomorrow. */
  readonly address?: string;
  readonly note?: string;
}

/** Sockets of one port are one check. */
function groups(sockets: readonly Socket[], given: ReadonlySet<string>): readonly Group[] {
  const keys = [...new Set(sockets.map(({ protocol, port }) => `${protocol} ${port}`))];
  return keys.map((key) => {
    const same = sockets.filter(({ protocol, port }) => `${protocol} ${port}` === key);
    const [{ protocol, port }] = same as [Socket];
    const addresses = same.map(({ address }) => address).toSorted();
    if (addresses.some(isWildcard)) return { protocol, port, address: 'any' };
    if (addresses.every(isLoopback)) return { protocol, port, address: 'loopback' };
    const [first, ...others] = addresses.filter((address) => !isLoopback(address) && !given.has(address));
    if (first === undefined)
      return { protocol, port, note: 'its address was given to the host for a time: which one is not checked' };
    const note = `it listens on ${others.join(' and ')}, too`;
    return { protocol, port, address: first, ...(others.length > 0 && { note }) };
  });
}

/** Entries of the allow list; where a port listens on one lasting address only, on that one. */
function allowed(sockets: readonly Socket[], given: ReadonlySet<string>): readonly (string | number)[] {
  const list = sockets.toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
  const isOpen = ({ address }: Socket) => isWildcard(address) || given.has(address);
  const everywhere = new Set(list.filter(isOpen).map(({ port }) => port));
  const entries = list.map(({ port, address }) =>
    everywhere.has(port) ? port : `${address.includes(':') ? `[${address}]` : address}:${port}`,
  );
  return [...new Set(entries)];
}
