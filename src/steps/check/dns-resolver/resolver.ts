import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { type ProbeOutput, UnreadableOutput } from '../../step.js';

export interface ResolverData {
  /** Of /etc/resolv.conf. */
  readonly servers: readonly string[];
  /** Those that systemd-resolved asks, where it stands between. */
  readonly upstream: readonly string[];
  readonly search: readonly string[];
  /** Line `hosts` of nsswitch.conf; null where there is none. */
  readonly hosts: string | null;
  readonly replies: readonly Reply[];
  /** What the C library says; null where getent is missing. */
  readonly library: {
    readonly found: boolean;
    readonly timedOut: boolean;
    readonly addresses: readonly string[];
  } | null;
}

export interface Reply {
  readonly server: string;
  /** Response code; null when nothing came. */
  readonly rcode: string | null;
  /** Null where the host has no clock that is fine enough. */
  readonly seconds: number | null;
}

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** Identification of the question, so that its reply is told from another. */
const id = '6f70';

/** A question for the A records of a name, as octal escapes that `printf` of any shell writes as bytes. */
export function questionFor(name: string): string {
  const labels = name.replace(/\.$/, '').split('.');
  const header = Buffer.from(`${id}01000001000000000000`, 'hex');
  const question = labels.flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]);
  return [...Buffer.concat([header, ...question, Buffer.from([0, 0, 1, 0, 1])])]
    .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
    .join('');
}

export function readResolver(output: ProbeOutput): ResolverData {
  expectSuccess(output);
  const lines = tabbedLines(output);
  if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the answer is cut off');
  const all = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value);
  const servers = all('nameserver');
  const upstream = all('upstream');
  const replies = lines.flatMap(([key, value]) =>
    key === 'reply' ? [readReply(value)] : key === 'said' ? [readAnswer(value)] : [],
  );
  if ([...servers, ...upstream].some((server) => !replies.some((reply) => reply.server === server)))
    throw new UnreadableOutput('not every name server was asked');
  const status = all('getent')[0];
  return {
    servers,
    upstream,
    // The last of both counts.
    search: lines.findLast(([key]) => key === 'search' || key === 'domain')?.[1].split(/\s+/) ?? [],
    hosts: all('hosts')[0] ?? null,
    replies,
    library:
      status === undefined
        ? null
        : {
            found: status === '0',
            // GNU and busybox end a program that is late in different words.
            timedOut: status === '124' || status === '143',
            addresses: [...new Set(all('address'))],
          },
  };
}

/** `server<TAB>reply in hex<TAB>time asked<TAB>time answered`. */
function readReply(line: string): Reply {
  const [server = '', reply = '', asked = '', answered = ''] = line.split('\t');
  if (reply === '') return { server, rcode: null, seconds: null };
  // Identification, then QR and the response code at both ends of the flags.
  const [, first = '', second = ''] = new RegExp(`^${id}([89a-f])[\\da-f]{2}([\\da-f])[\\da-f]{16}`).exec(reply) ?? [];
  if (!first) throw new UnreadableOutput(`${server} sent what is no reply: ${reply.slice(0, 48)}`);
  const code = Number.parseInt(second, 16);
  const seconds = asked && answered ? numberOf(answered, 'time') - numberOf(asked, 'time') : null;
  return { server, rcode: rcodes[code] ?? `RCODE ${code}`, seconds: seconds === null ? null : Math.max(0, seconds) };
}

function readAnswer(line: string): Reply {
  const [server = '', rcode = ''] = line.split('\t');
  return { server, rcode: rcode === '' ? null : rcode, seconds: null };
}
