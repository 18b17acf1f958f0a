import { expectSuccess, numberOf } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** At most 15 characters: the kernel cuts it. */
  readonly name: string;
  /** The command line with spaces between its words; empty for a thread of the kernel. */
  readonly command: string;
  /** Effective user id. */
  readonly uid: number;
  /** Bytes of memory that are resident; 0 for a thread of the kernel. */
  readonly rss: number;
  /** Seconds since it started; null when it could not be read. */
  readonly age: number | null;
}

export interface ProcessData {
  /** Without those that run the probe. */
  readonly processes: readonly Process[];
  /** Id of the user that was asked for. */
  readonly user: number | null;
}

/** Ticks a second in /proc/PID/stat: 100 on every architecture that still ships. */
const ticks = 100;

export function readProcesses(output: ProbeOutput): ProcessData {
  expectSuccess(output);
  const said = text(output.stdout);
  const [head, rest] = cut(said, '== status\n');
  if (rest === undefined) throw new UnreadableOutput('the list of processes is missing');
  const lines = head.split('\n').map((line) => line.split('\t') as [string, string]);
  const about = new Map(lines);
  const uptime = numberOf(about.get('uptime'), 'uptime');
  const [status, afterStatus = ''] = cut(rest, '== stat\n');
  const [stat, commands = ''] = cut(afterStatus, '== command\n');
  const starts = readStarts(stat);
  const words = readCommands(commands);
  const processes = [...readStatus(status)].flatMap(([pid, fields]): Process[] => {
    const name = fields.get('Name');
    // It ended while it was looked at.
    if (name === undefined || !fields.has('Uid') || !fields.has('PPid')) return [];
    const start = starts.get(pid);
    return [
      {
        pid,
        parent: numberOf(fields.get('PPid'), 'PPid'),
        name: name.replace(/\\(n|\\)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : '\\')),
        command: words.get(pid) ?? '',
        uid: numberOf(fields.get('Uid')?.split('\t')[1], 'Uid'),
        rss: numberOf(fields.get('VmRSS')?.trim().split(' ')[0] ?? '0', 'VmRSS') * 1024,
        age: start === undefined ? null : Math.max(0, uptime - start),
      },
    ];
  });
  const started = lines.filter(([key]) => key === 'own').map(([, pid]) => numberOf(pid, 'own'));
  const own = ownProcesses(processes, numberOf(about.get('self'), 'self'), started);
  const user = about.get('user');
  return {
    processes: processes.filter(({ pid }) => !own.has(pid)),
    user: user === undefined ? null : numberOf(user, 'user'),
  };
}

/** Splits at the first occurrence: what follows may hold anything. */
function cut(source: string, mark: string): readonly [string, string | undefined] {
  const at = source.startsWith(mark) ? 0 : source.indexOf(`\n${mark}`) + 1;
  if (at === 0 && !source.startsWith(mark)) return [source, undefined];
  return [source.slice(0, at), source.slice(at + mark.length)];
}

function readStatus(lines: string): ReadonlyMap<number, ReadonlyMap<string, string>> {
  const all = new Map<number, Map<string, string>>();
  for (const [, pid, key = '', value = ''] of lines.matchAll(/^\/proc\/(\d+)\/status:(\w+):\t(.*)$/gm)) {
    const fields = all.get(Number(pid)) ?? new Map<string, string>();
    all.set(Number(pid), fields.set(key, value));
  }
  return all;
}

/** Seconds after the start of the machine at which each process started. */
function readStarts(lines: string): ReadonlyMap<number, number> {
  const starts = new Map<number, number>();
  // The name may hold spaces and parentheses: the rest follows the last one.
  for (const [, pid, rest = ''] of lines.matchAll(/^(\d+) \(.*\) (.*)$/gm)) {
    const start = Number(rest.split(' ')[19]);
    if (Number.isFinite(start)) starts.set(Number(pid), start / ticks);
  }
  return starts;
}

function readCommands(commands: string): ReadonlyMap<number, string> {
  const parts = commands.split(/(?:^|\n)==> \/proc\/(\d+)\/cmdline <==\n/);
  const all = new Map<number, string>();
  for (let index = 1; index < parts.length; index += 2)
    all.set(Number(parts[index]), (parts[index + 1] ?? '').replace(/\0+\n?$/, '').replaceAll('\0', ' '));
  return all;
}

/** The shell of the probe, what it started, and the shells and sudo that led to it. */
function ownProcesses(processes: readonly Process[], self: number, children: readonly number[]): ReadonlySet<number> {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const own = new Set([self, ...children]);
  for (let grew = true; grew; ) {
    const found = processes.filter(({ pid, parent }) => own.has(parent) && !own.has(pid));
    for (const { pid } of found) own.add(pid);
    grew = found.length > 0;
  }
  let above = byPid.get(byPid.get(self)?.parent ?? 0);
  while (above && /^(?:sh|dash|ash|bash|busybox|sudo|doas)$/.test(above.name)) {
    own.add(above.pid);
    above = byPid.get(above.parent);
  }
  return own;
}
