import { cachedRegex } from '../../../expressions/regex.js';
import { expectSuccess, numberOf } from '../../lines.js';
import { foundPattern, type Patterns } from '../../patterns.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

export const managers = ['apt', 'dnf', 'yum', 'zypper', 'apk'] as const;

export type Manager = (typeof managers)[number];

export interface Update {
  readonly name: string;
  /** `held` by the administrator; `stuck` cannot be installed; `ready` otherwise. */
  readonly state: 'ready' | 'held' | 'stuck';
  /** Null when its source does not tell. */
  readonly security: boolean | null;
}

export interface UpdatesData {
  readonly manager: Manager;
  readonly updates: readonly Update[];
  /** Security patches, where the package manager counts those and not packages. */
  readonly patches: number | null;
  readonly sources: readonly Source[];
  /** Whether there is a source for security; `ignored` when its versions are pinned below what is installed. Of apt alone. */
  readonly securitySource: 'used' | 'ignored' | 'none' | null;
  /** Seconds since the lists were fetched, by the source that is oldest; null when there are none. */
  readonly age: number | null;
}

export interface Source {
  readonly name: string;
  /** Seconds since it was fetched or seen to be without news; null when it never was. */
  readonly age: number | null;
  /** It says which updates are for security. */
  readonly advisories: boolean;
  /** Seconds since it ceased to be valid, by its own word; null while it is. */
  readonly expired: number | null;
}

type Sections = Readonly<Record<string, string>>;

/** What a reader makes of the sections of one package manager. */
interface Found {
  readonly updates: readonly Update[];
  readonly patches?: number;
  readonly securitySource?: UpdatesData['securitySource'];
}

const readers: Readonly<
  Record<Manager, (sections: Sections, sources: readonly Source[], securitySources: Patterns) => Found>
> = { apt: readApt, dnf: readDnf, yum: readYum, zypper: readZypper, apk: readApk };

export function readUpdates(output: ProbeOutput, securitySources: Patterns): UpdatesData {
  expectSuccess(output);
  const [head = '', ...parts] = text(output.stdout).split(/^== /m);
  if (parts.at(-1) !== 'end\n') throw new UnreadableOutput('the updates are cut off');
  const sections = Object.fromEntries(
    parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
  );
  const lines = head.split('\n').map((line) => line.split('\t'));
  const value = (key: string) => lines.find(([name]) => name === key)?.[1];
  const manager = managers.find((name) => name === value('manager'));
  if (!manager) throw new UnreadableOutput('the package manager is missing');
  const now = numberOf(value('now'), 'now');
  const ageOf = (time: string | undefined) => (time ? Math.max(0, now - numberOf(time, 'time of a list')) : null);
  const sources = lines
    .filter(([key]) => key === 'source')
    .map(([, name = '', time, advisories, until]) => ({
      name,
      age: ageOf(time),
      advisories: advisories === 'yes',
      expired: until ? expiredSince(until, now) : null,
    }));
  const ages = sources.flatMap(({ age }) => (age === null ? [] : [age]));
  // The files of apt have the time of their publication, so a folder tells for all of them.
  const age = ages.length === 0 ? null : manager === 'apt' ? ageOf(value('fetched')) : Math.max(...ages);
  return {
    manager,
    age,
    sources,
    patches: null,
    securitySource: null,
    ...readers[manager](sections, sources, securitySources),
  };
}

function expiredSince(until: string, now: number): number | null {
  const time = Date.parse(until) / 1000;
  if (Number.isNaN(time)) throw new UnreadableOutput(`not a time: ${until.slice(0, 80)}`);
  return time < now ? now - time : null;
}

function section(sections: Sections, name: string): string {
  const found = sections[name];
  if (found === undefined) throw new UnreadableOutput(`the part "${name}" is missing`);
  return found;
}

/** `Inst name [old] (new Label:1/suite, Label:2/suite [all])`, and names below headings. */
function readApt(sections: Sections, sources: readonly Source[], securitySources: Patterns): Found {
  const said = section(sections, 'simulation');
  const below = (heading: string) =>
    new RegExp(`^The following ${heading}:\\n((?: {2}.*\\n)+)`, 'm').exec(said)?.[1]?.trim().split(/\s+/) ?? [];
  const held = new Set(below('held packages will be changed'));
  const stuck = below('packages have been kept back');
  const deferred = below('upgrades have been deferred due to phasing');
  const updates: Update[] = [];
  for (const [, name = '', from = ''] of said.matchAll(/^Inst (\S+) \[[^\]]*\] \(\S+ (.*) \[[^\]]*\]\)/gm))
    updates.push({
      name,
      state: held.has(name) ? 'held' : 'ready',
      security: foundPattern(securitySources, from) !== undefined,
    });
  // The counts prove that each line was understood.
  const counts = /^(\d+) upgraded, .* and (\d+) not upgraded\.$/m.exec(said);
  const downgraded = Number(/, (\d+) downgraded,/.exec(said)?.[1] ?? 0);
  if (!counts) throw new UnreadableOutput('apt does not say how many it would upgrade');
  if (Number(counts[1]) + downgraded !== updates.length || Number(counts[2]) !== stuck.length + deferred.length)
    throw new UnreadableOutput(`apt says "${counts[0]}", its list has ${updates.length} and ${stuck.length}`);
  const policies = stuck.length > 0 ? section(sections, 'kept') : '';
  return {
    securitySource: sections.policy === undefined ? null : securitySourceOf(sections.policy, sources, securitySources),
    updates: [
      ...updates,
      ...stuck.map((name): Update => {
        const security = foundPattern(securitySources, candidateSources(policies, name)) !== undefined;
        return { name, state: 'stuck', security };
      }),
    ],
  };
}

/** That of a new release holds nothing at first: apt fetches it, and its policy does not name it. */
function securitySourceOf(
  policy: string,
  sources: readonly Source[],
  securitySources: Patterns,
): 'used' | 'ignored' | 'none' {
  const found = securitySourceIn(policy, securitySources);
  const isFetched = sources.some(({ name, age }) => age !== null && foundPattern(securitySources, name) !== undefined);
  return found === 'none' && isFetched ? 'used' : found;
}

/** ` 500 URI SUITE/PART ARCH Packages`, then `release v=12,a=stable-security,l=Debian-Security,…`, of each source. */
function securitySourceIn(policy: string, securitySources: Patterns): 'used' | 'ignored' | 'none' {
  const found = [...policy.matchAll(/^ +(-?\d+) (.+)\n +release (.*)$/gm)].filter(([, , place = '', release = '']) => {
    const {
      l = '',
      v = '',
      a = '',
    } = Object.fromEntries(
      release.split(',').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
    );
    return foundPattern(securitySources, `${l}:${v && `${v}/`}${a}\n${place}`) !== undefined;
  });
  // Below 100, the version that is installed wins.
  return found.length === 0 ? 'none' : found.some(([, priority]) => Number(priority) >= 100) ? 'used' : 'ignored';
}

/** Sources of the version that `apt-cache policy` would install. */
function candidateSources(policies: string, name: string): string {
  const lines = policies.split('\n');
  const start = lines.indexOf(`${name}:`);
  const end = lines.findIndex((line, index) => index > start && /^\S/.test(line));
  const policy = start === -1 ? [] : lines.slice(start + 1, end === -1 ? undefined : end);
  const candidate = /^ {2}Candidate: (\S+)$/m.exec(policy.join('\n'))?.[1];
  if (candidate === undefined) throw new UnreadableOutput(`apt does not tell the candidate of ${name}`);
  const versions = policy.map((line) => /^ (?:\*{3}| {3}) (\S+) -?\d+$/.exec(line)?.[1]);
  const from = versions.indexOf(candidate);
  const next = versions.findIndex((version, index) => index > from && version !== undefined);
  return policy.slice(from + 1, next === -1 ? undefined : next).join('\n');
}

interface RpmUpdate {
  readonly name: string;
  readonly architecture: string;
  readonly source: string;
}

function readDnf(sections: Sections, sources: readonly Source[]): Found {
  const list = (name: string): RpmUpdate[] =>
    [...section(sections, name).matchAll(/^update (\S+) \S+ (\S+) (\S+)$/gm)].map(
      ([, package_ = '', architecture = '', source = '']) => ({ name: package_, architecture, source }),
    );
  return { updates: judgeRpm(list('updates'), list('all'), sections.security ?? '', sources) };
}

/** `name.arch  version  source`; yum breaks a line that is too long for 80 columns anywhere between them. */
function readYum(sections: Sections, sources: readonly Source[]): Found {
  const list = (name: string): RpmUpdate[] => {
    const words = (section(sections, name).split(/^Obsoleting Packages/m)[0] ?? '')
      .replace(/^Security: .*$/gm, '')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length % 3 !== 0) throw new UnreadableOutput('yum does not print three words for an update');
    return words.flatMap((word, index) => {
      if (index % 3 !== 0) return [];
      const dot = word.lastIndexOf('.');
      if (dot < 1) throw new UnreadableOutput(`not a package of yum: ${word.slice(0, 80)}`);
      return [{ name: word.slice(0, dot), architecture: word.slice(dot + 1), source: words[index + 2] ?? '' }];
    });
  };
  return { updates: judgeRpm(list('updates'), list('all'), sections.security ?? '', sources) };
}

function judgeRpm(
  ready: readonly RpmUpdate[],
  all: readonly RpmUpdate[],
  advisories: string,
  sources: readonly Source[],
): Update[] {
  const key = ({ name, architecture }: RpmUpdate) => `${name}.${architecture}`;
  const free = new Set(ready.map(key));
  const urgent = new Set(advisories.split(/\s+/).map(nameOfRpm));
  // Several versions of one package are one update.
  return [...new Map([...all, ...ready].map((update) => [key(update), update])).values()].map((update) => {
    const told = sources.find(({ name }) => name === update.source)?.advisories ?? false;
    return {
      name: update.name,
      state: free.has(key(update)) ? 'ready' : 'held',
      security: urgent.has(key(update)) ? true : told ? false : null,
    };
  });
}

/** `name-1:2.0-3.el9.x86_64` as `name.x86_64`. */
function nameOfRpm(word: string): string {
  return word.replace(/^(.+)-[^-]+-[^-]+\.([^.-]+)$/, '$1.$2');
}

function readZypper(sections: Sections, sources: readonly Source[]): Found {
  const attribute = (element: string, name: string) => new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1] ?? '';
  const elements = (name: string) => {
    const said = section(sections, name);
    if (!said.trimEnd().endsWith('</stream>')) throw new UnreadableOutput('the answer of zypper is cut off');
    return said;
  };
  const updatesOf = (name: string) => elements(name).match(/<update kind="[\s\S]*?<\/update>/g) ?? [];
  const key = (update: string) => `${attribute(update, 'name')}.${attribute(update, 'arch')}`;
  const ready = new Set(updatesOf('updates').map(key));
  const locks = [...elements('locks').matchAll(/<name>([^<]*)<\/name>/g)].map(([, name = '']) => wildcard(name));
  return {
    updates: updatesOf('all').map((update) => {
      const name = attribute(update, 'name');
      const told = sources.find((source) => source.name === attribute(update, 'alias'))?.advisories ?? false;
      const held = locks.some((lock) => lock.test(name));
      // Patches are counted for themselves: none of its packages is told to be one for security.
      return { name, state: ready.has(key(update)) ? 'ready' : held ? 'held' : 'stuck', security: told ? false : null };
    }),
    patches: updatesOf('security').filter((patch) => attribute(patch, 'status') === 'needed').length,
  };
}

function wildcard(name: string): ReturnType<typeof cachedRegex> {
  const pattern = name
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return cachedRegex(`^${pattern}$`);
}

/** `name-1.0-r0   < 1.0-r1`. */
function readApk(sections: Sections): Found {
  const lines = section(sections, 'updates')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('Installed:'));
  return {
    updates: lines.map((line) => {
      const name = /^(\S+)-\d[^-\s]*-r\d+\s+<\s+\S/.exec(line)?.[1];
      if (name === undefined) throw new UnreadableOutput(`not an update of apk: ${line.slice(0, 120)}`);
      return { name, state: 'ready', security: null };
    }),
  };
}
