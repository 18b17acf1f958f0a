import { type Dialogue, ServerFault, shownText } from '../dialogue.js';

/** A reply that is one text (RESP, version 2): a word, an error or a bulk string. */
export interface Reply {
  readonly error: boolean;
  readonly text: string;
}

/** Most bytes of one bulk string; INFO has a few thousand. */
const longest = 131_072;

export async function command(dialogue: Dialogue, words: readonly string[]): Promise<Reply> {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  dialogue.write(`*${words.length}\r\n${parts.join('')}`);
  const line = await dialogue.line();
  const rest = line.slice(1);
  if (line.startsWith('+')) return { error: false, text: rest };
  if (line.startsWith('-')) return { error: true, text: rest };
  const size = /^\$(\d{1,6})$/.exec(line)?.[1];
  if (size === undefined || Number(size) > longest)
    throw new ServerFault('protocol-error', `not the words of Redis: ${shownText(line)}`);
  const bytes = await dialogue.bytes(Number(size) + 2);
  return { error: false, text: bytes.toString('utf8', 0, Number(size)) };
}

export interface RedisInfo {
  readonly version: string;
  readonly role: 'master' | 'replica';
  readonly loading: boolean;
  /** Bytes. */
  readonly usedMemory: number;
  /** Bytes; 0 without a limit. */
  readonly maxMemory: number;
  /** `ok` or what went wrong. */
  readonly lastSave: string;
  readonly lastAppend: string;
  /** Changes that are in no snapshot. */
  readonly unsaved: number;
  /** Seconds since 1970, of the last snapshot, or of the start where there was none. */
  readonly savedAt: number;
  /** The same of the server's own clock; null before Redis 7, which does not tell it. */
  readonly clock: number | null;
  /** Connected replicas. */
  readonly replicas: number;
  /** `up` or `down`; null for a master. */
  readonly masterLink: string | null;
}

/** The text of INFO. What is missing is not made up. */
export function readInfo(text: string): RedisInfo {
  const values = new Map(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^([a-z0-9_]+):(.*?)\r?$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    }),
  );
  const word = (name: string) => {
    const value = values.get(name);
    if (value === undefined || value === '') throw new ServerFault('protocol-error', `INFO without ${name}`, false);
    return value;
  };
  const number = (name: string) => {
    const value = word(name);
    if (!/^\d{1,16}$/.test(value)) throw new ServerFault('protocol-error', `INFO: ${name} is no number`, false);
    return Number(value);
  };
  const role = word('role');
  if (role !== 'master' && role !== 'slave') throw new ServerFault('protocol-error', 'INFO: an unknown role', false);
  return {
    version: shownText(values.get('redis_version') ?? ''),
    role: role === 'slave' ? 'replica' : 'master',
    loading: number('loading') !== 0,
    usedMemory: number('used_memory'),
    maxMemory: number('maxmemory'),
    lastSave: word('rdb_last_bgsave_status'),
    lastAppend: word('aof_last_write_status'),
    unsaved: number('rdb_changes_since_last_save'),
    savedAt: number('rdb_last_save_time'),
    clock: values.has('server_time_usec') ? number('server_time_usec') / 1e6 : null,
    replicas: number('connected_slaves'),
    masterLink: role === 'slave' ? (values.get('master_link_status') ?? null) : null,
  };
}
