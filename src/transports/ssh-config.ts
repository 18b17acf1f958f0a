import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import SshConfigFile from 'ssh-config';
import { matchesGlob } from './trust/known-hosts.js';

/** What ssh_config says about one host, as far as opsctl uses it. Keys in lower case, every value in order. */
export type HostSettings = ReadonlyMap<string, readonly string[]>;

export interface SshConfigOptions {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** `~/.ssh/config` and `/etc/ssh/ssh_config`, unless told otherwise. */
  readonly userFile?: string;
  readonly systemFile?: string;
}

/** The settings that change how a host is reached; files without any of them need no look at all. */
const relevant = new Set([
  'hostname',
  'user',
  'port',
  'identityfile',
  'identitiesonly',
  'identityagent',
  'proxyjump',
  'proxycommand',
  'hostkeyalias',
  'userknownhostsfile',
  'globalknownhostsfile',
  'canonicalizehostname',
]);

const includeDepth = 16;
const parallel = 8;
const nothing: HostSettings = new Map();

/**
 * ssh_config by `ssh -G`, which is exact, but a process a name: so it is asked only for names that some block
 * may match, and once for all others. Without OpenSSH the ssh-config package answers.
 */
export class SshConfig {
  readonly #options: SshConfigOptions;
  readonly #answers = new Map<string, Promise<HostSettings>>();
  #files: ParsedFiles | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: SshConfigOptions) {
    this.#options = options;
  }

  async lookup(name: string): Promise<HostSettings> {
    this.#files ??= parseFiles(this.#options);
    const files = this.#files;
    const own = files.asksFor(name);
    if (!own && !files.general) return nothing;
    // One answer serves every name that only the general settings apply to.
    const key = own ? name : '';
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = this.#ask(own ? name : 'opsctl.invalid', files);
      this.#answers.set(key, answer);
    }
    const settings = await answer;
    if (own || settings.get('hostname')?.[0] !== 'opsctl.invalid') return settings;
    return new Map([...settings, ['hostname', [name]]]);
  }

  async #ask(name: string, files: ParsedFiles): Promise<HostSettings> {
    if (!hasSsh(this.#options.env)) return files.compute(name);
    while (this.#running >= parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      const { effectiveSettings } = await import('./openssh/program.js');
      // ssh takes the home folder from the user database: files elsewhere must be named.
      const { userFile } = this.#options;
      const text = await effectiveSettings(name, userFile);
      return text === undefined ? files.compute(name) : parseEffective(text);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

interface ParsedFiles {
  /** Some block other than `Host *` may match the name. */
  asksFor(name: string): boolean;
  /** Relevant settings that apply to every name. */
  readonly general: boolean;
  compute(name: string): HostSettings;
}

function parseFiles(options: SshConfigOptions): ParsedFiles {
  const home = options.env.HOME ?? homedir();
  const userFile = options.userFile ?? join(home, '.ssh/config');
  const text = [
    expandIncludes(userFile, join(home, '.ssh'), home, 0),
    // A file named with -F stands alone, as it does for ssh.
    ...(options.userFile === undefined || options.systemFile !== undefined
      ? ['Host *', expandIncludes(options.systemFile ?? '/etc/ssh/ssh_config', '/etc/ssh', home, 0)]
      : []),
  ].join('\n');
  const patterns: string[][] = [];
  let general = false;
  let conditional = false;
  let inGeneral = true;
  for (const line of text.split('\n')) {
    const [, rawKeyword = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const keyword = rawKeyword.toLowerCase();
    if (keyword === 'host') {
      const names = value.replaceAll('"', '').split(/\s+/);
      inGeneral = names.length === 1 && names[0] === '*';
      if (!inGeneral) patterns.push(names);
    } else if (keyword === 'match') {
      inGeneral = value.toLowerCase() === 'all';
      if (!inGeneral) conditional = true;
    } else if (inGeneral && relevant.has(keyword)) general = true;
  }
  return {
    general,
    asksFor: (name) =>
      conditional || patterns.some((names) => names.some((one) => matchesGlob(name, one.replace(/^!/, '')))),
    compute: (name) => computeWithoutSsh(text, name),
  };
}

/** Include lines are replaced by what they name; ssh-config does not do that by itself. */
function expandIncludes(file: string, base: string, home: string, depth: number): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return '';
  }
  if (depth >= includeDepth) return text;
  return text
    .split(/\r?\n/)
    .map((line) => {
      const value = /^\s*include(?:\s*=\s*|\s+)(.*?)\s*$/i.exec(line)?.[1];
      if (value === undefined) return line;
      const names = [...value.matchAll(/"([^"]+)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
      return names
        .flatMap((name) =>
          globFiles(isAbsolute(name) ? name : name.startsWith('~/') ? join(home, name.slice(2)) : join(base, name)),
        )
        .map((path) => expandIncludes(path, base, home, depth + 1))
        .join('\n');
    })
    .join('\n');
}

/** Only the last part of an Include may hold wildcards; that is how they are used. */
function globFiles(pattern: string): string[] {
  if (!/[*?]/.test(pattern)) return [pattern];
  const folder = dirname(pattern);
  const last = pattern.slice(folder.length + 1);
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && matchesGlob(name, last))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function computeWithoutSsh(text: string, name: string): HostSettings {
  const computed = SshConfigFile.parse(text).compute({ Host: name }, { ignoreCase: true });
  const settings = new Map<string, string[]>();
  for (const [keyword, value] of Object.entries(computed)) {
    settings.set(keyword.toLowerCase(), (Array.isArray(value) ? value : [value]).map(String));
  }
  const hostname = settings.get('hostname')?.[0];
  settings.set('hostname', [hostname?.replaceAll('%h', name) ?? name]);
  return settings;
}

/** `keyword value` lines of `ssh -G`; a keyword may come several times. */
function parseEffective(text: string): HostSettings {
  const settings = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space < 1) continue;
    const keyword = line.slice(0, space);
    const value = line.slice(space + 1).trim();
    const known = settings.get(keyword);
    if (known) known.push(value);
    else settings.set(keyword, [value]);
  }
  return settings;
}

function hasSsh(env: Readonly<NodeJS.ProcessEnv>): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'ssh'), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** The login name of whoever runs opsctl; a uid without an entry has none. */
export function localUser(env: Readonly<NodeJS.ProcessEnv>): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? env.LOGNAME ?? 'root';
  }
}
