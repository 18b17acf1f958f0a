import { isLoopback, isWildcard } from '../steps/check/address.js';
import type { Socket } from '../steps/check/listening/allowed.js';
import { type Candidate, givenFor, type Subject, type Survey } from './subject.js';

export const ports: Subject = {
  title: 'Ports that listen',
  tag: 'ports',
  find(survey) {
    const given = givenFor(survey);
    const [first, last] = ephemeral(survey);
    const isPassing = ({ port }: Socket) => port >= first && port <= last;
    const lasting = survey.sockets.filter(
      (socket) => !isPassing(socket) && !isForwarded(socket) && !isDhcpClient(socket),
    );
    const passing = survey.sockets.filter(
      (socket) => socket.protocol === 'tcp' && isPassing(socket) && !isLoopback(socket.address),
    );
    const checks: Candidate[] = groups(lasting, given).map(({ protocol, port, address, note }) => ({
      uses: 'check.port',
      name: `${protocol} port ${port} listens`,
      about: `${protocol} ${port}`,
      with: { port, ...(protocol === 'udp' && { protocol }), ...(address !== undefined && { address }) },
      ...(note !== undefined && { note }),
    }));
    const open = lasting.filter(({ protocol, address }) => protocol === 'tcp' && !isLoopback(address));
    const names = [...new Set(passing.flatMap(({ port }) => programsAt(survey, port)))].toSorted();
    const listen: Candidate = {
      uses: 'check.listening',
      name: 'Nothing else is open to others',
      // Which of them are open is another thing after each start.
      with: { allow: [...allowed(open, given), ...(passing.length > 0 ? [`${first}-${last}`] : [])] },
      ...(passing.length > 0 && {
        note: `ports that the kernel gives away are open${names.length > 0 ? ` (${names.join(', ')})` : ''}: fix them to others, and take the range out`,
      }),
    };
    return { checks: [...checks, listen] };
  },
};

/** The ports that the kernel gives to who asks for none: others after each start. Lower ones are mostly somebody's choice. */
function ephemeral(survey: Survey): readonly [first: number, last: number] {
  const [low = 32_768, high = 60_999] = survey.lines('ephemeral')[0]?.split(' ').map(Number) ?? [];
  return [Math.max(low, 32_768), high];
}

/** Told to root only. */
function programsAt(survey: Survey, wanted: number): readonly string[] {
  return survey.lines('process').flatMap((line) => {
    const [protocol, port, , ...name] = line.split(' ');
    return protocol === 'tcp' && port === String(wanted) ? [name.join(' ')] : [];
  });
}

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
