import type { LoadedRunbook } from '../documents/runbook.js';
import { listRuns } from './runs.js';

/** What `@failed` means: the hosts that did not end ok in the last finished run of this runbook. */
export async function lastFailedHosts(state: string, runbook: LoadedRunbook): Promise<readonly string[]> {
  for (const { result } of await listRuns(state)) {
    if (result?.run.runbook !== runbook.value.name) continue;
    return result.hosts
      .filter(({ outcome }) => !['ok', 'changed', 'warning', 'skipped'].includes(outcome))
      .map(({ name }) => name);
  }
  return [];
}
