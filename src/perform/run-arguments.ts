import type { RunOptions } from './options.js';

/** The words after `opsctl` that ask for such a run. */
export function runArguments(options: RunOptions & { readonly runbook: string }): readonly string[] {
  const { runbook, mode, yes, quiet, verbose, trust, project, inventory, limit, user, transport, params, tags } =
    options;
  const { skipTags, outputs, waivers, failOn, concurrency, timeout } = options;
  const flag = (name: string, value: boolean | undefined) => (value ? [name] : []);
  const one = (name: string, value: string | number | undefined) => (value === undefined ? [] : [`${name}=${value}`]);
  const list = (name: string, values: readonly string[] = []) => values.map((value) => `${name}=${value}`);
  return [
    'run',
    runbook,
    ...flag('--quiet', quiet),
    ...flag('--yes', yes),
    ...flag('--dry-run', mode === 'dry-run'),
    ...flag('--verbose', verbose),
    ...flag('--accept-new', trust === 'accept-new'),
    ...one('--project', project),
    ...list('--inventory', inventory),
    ...one('--hosts', limit),
    ...one('--user', user),
    ...one('--transport', transport),
    ...Object.entries(params ?? {}).map(([name, value]) => `--param=${name}=${value}`),
    ...one('--tags', tags?.join(',')),
    ...one('--skip-tags', skipTags?.join(',')),
    ...one('--waivers', waivers),
    ...one('--fail-on', failOn),
    ...one('--concurrency', concurrency),
    ...one('--timeout', timeout),
    ...list('--output', outputs),
  ];
}
