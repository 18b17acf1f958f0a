import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { formatQuantity } from '../../quantity.js';
import { metricOf } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { readService, type ServiceData } from './state.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[^-/\\s*?[\\]][^/\\s*?[\\]]*$',
      description: 'Name of the service; with systemd any unit, `.service` may be left out.',
      examples: ['nginx', 'backup.timer'],
    },
    state: { enum: ['running', 'stopped'], default: 'running', description: 'State that it should be in.' },
    enabled: { type: 'boolean', description: 'Whether it should start with the system. Not looked at when absent.' },
    manager: {
      enum: ['systemd', 'openrc', 'sysv'],
      description: 'Only where this service manager starts services; other hosts are skipped.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export default defineHostStep<FromSchema<typeof params>, ServiceData>({
  kind: 'check.service',
  summary: 'A service runs, or is stopped, and starts with the system',
  params,
  effect: 'read',
  probe: script('./probe.sh', import.meta.url),
  args: ({ name, manager }) => [name, manager ?? ''],
  parse: readService,
  judge(data, { name, state: wanted, enabled }) {
    const metrics = [
      ...(data.restarts === null ? [] : [metricOf('restarts', data.restarts, 'count', { min: 0 })]),
      ...(data.since === null ? [] : [metricOf('since', data.since, 'seconds', { min: 0 })]),
    ];
    const judged = (outcome: 'ok' | 'failed' | 'unknown' | 'warning', reason: string, summary: string) => ({
      outcome,
      reason,
      summary: `${data.id || name} ${summary}`,
      metrics,
    });

    if (data.state === 'not-found')
      return judged('unknown', 'service-not-found', `does not exist here (${data.manager}), is the name right?`);
    if (data.state === 'unknown')
      return judged('unknown', 'service-unknown', `does not tell its state: ${data.detail}`);
    const runs = ['running', 'waiting', 'done', 'exited'].includes(data.state);
    if (wanted === 'running' && !runs) return judged('failed', `service-${data.state}`, data.detail);
    if (wanted === 'stopped' && (runs || data.state === 'starting' || data.state === 'looping'))
      return judged('failed', 'service-running', `${data.detail}, should be stopped`);
    if (enabled !== undefined && data.startsAtBoot !== null && data.startsAtBoot !== enabled)
      return judged(
        'failed',
        enabled ? 'service-not-enabled' : 'service-enabled',
        `is ${data.enabled}, ${enabled ? 'should start' : 'should not start'} with the system`,
      );
    if (wanted === 'running' && data.state === 'exited') return judged('warning', 'service-exited', data.detail);
    const since =
      data.since === null || data.state !== 'running' ? '' : ` for ${formatQuantity(data.since, 'seconds')}`;
    return judged('ok', 'ok', `${data.detail}${since}`);
  },
});
