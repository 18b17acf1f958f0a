import { join } from 'node:path';
import type { GetModuleInfo, ModuleInfo, Plugin } from 'rolldown';

/**
 * Says which module goes into which file. A file costs a millisecond to find and load and a kilobyte next to
 * nothing, so what a run on this machine needs is in a few files; what is slow to load keeps files of its own:
 *
 * - `main`: what every start loads
 * - `run`: what a run on this machine needs
 * - `check.disk`: a step kind with its validator
 * - a slow package that most runs load: with the modules that load it
 * - `more`: other own modules with nothing slow behind them
 * - anything else: as the bundler sees fit
 */
export function chunkNames(root: string): { plugin: Plugin; nameOf(id: string): string | null } {
  const source = join(root, 'src/');
  const atStart = new Set<string>();
  const inEveryRun = new Set<string>();
  /** Modules that are slow to load, and because of what: a package that has a file of its own, or `other`. */
  const reasons = new Map<string, Set<string>>();
  return {
    plugin: {
      name: 'chunk-names',
      buildEnd() {
        const info: GetModuleInfo = (id) => this.getModuleInfo(id);
        for (const id of reach([join(source, 'main.ts')], (module) => module.importedIds, info)) atStart.add(id);
        const roots = [...this.getModuleIds()].filter((id) => everyRun.test(id));
        for (const id of reach(roots, (module) => module.importedIds, info)) inEveryRun.add(id);
        const slow = [...this.getModuleIds()].filter(
          (id) => !atStart.has(id) && isSlow(id, info(id)?.importedIds ?? []),
        );
        for (const reason of new Set(slow.map(packageOf))) {
          const ids = slow.filter((id) => packageOf(id) === reason);
          for (const id of reach(ids, (module) => module.importers, info))
            reasons.set(id, (reasons.get(id) ?? new Set()).add(reason));
        }
      },
    },
    nameOf(id) {
      if (atStart.has(id)) return 'main';
      const [reason, ...others] = reasons.get(id) ?? [];
      if (reason !== undefined) return reason === 'other' || others.length > 0 ? null : reason;
      // What the bundler puts in place of a tagged template that holds `</script>`.
      if (id.includes('@oxc-project+runtime')) return 'more';
      if (!id.startsWith(source) && !id.includes('/node_modules/')) return null;
      const path = id.slice(source.length);
      if (rare.test(path)) return null;
      const kind = /^(?:steps\/(\w+)\/([\w-]+)\/|generated\/validators\/(\w+)\.([\w-]+)\.js$)/.exec(path)?.slice(1);
      if (kind) return kind.filter((part) => part !== undefined).join('.');
      return inEveryRun.has(id) ? 'run' : 'more';
    },
  };
}

/** Slow packages that most runs load; the modules that load them go with them. */
function packageOf(id: string): string {
  return /.*\/node_modules\/(?:@[^/]+\/)?(yaml)\//.exec(id)?.[1] ?? 'other';
}

/** What a run on this machine needs, with all that it imports. */
const everyRun = new RegExp(
  `/src/(?:${[
    'steps/(?:[^/]+/)?[^/]+\\.ts',
    'commands/run\\.ts',
    'perform/perform\\.ts',
    'documents/(?:(?:ansible-)?yaml|paths)\\.ts',
    'expressions/index\\.ts',
    'transports/local\\.ts',
    'reports/(?:json|table)\\.ts',
    'generated/validators/(?:project|runbook|step|step-group)\\.js',
  ].join('|')})$`,
);

/** Big, and for a few commands only. */
const rare = /^generated\/validators\/(inventory|result)\.js$|^commands\/(init|trust|completion)/;

/** Packages that take no time to load, besides those of main.ts. */
const quickPackages = /\/node_modules\/(ssh-config)\//;

/** Parts of Node.js that take milliseconds to load. */
const slowBuiltins = /^(node:)?(dgram|dns|http|http2|https|inspector|readline|tls|worker_threads)\b/;

function isSlow(id: string, imports: readonly string[]): boolean {
  if (imports.some((other) => slowBuiltins.test(other))) return true;
  return id.includes('/node_modules/') && !quickPackages.test(id);
}

function reach(
  from: readonly string[],
  next: (module: ModuleInfo) => readonly string[],
  info: GetModuleInfo,
): Set<string> {
  const seen = new Set<string>();
  const queue = [...from];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const module = info(id);
    if (module) queue.push(...next(module));
  }
  return seen;
}
