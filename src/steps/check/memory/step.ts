import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, numberOf, tabbedLines } from '../../lines.js';
import { formatLimit, formatQuantity } from '../../quantity.js';
import { judgeNumber, metricOf, optionalRange, rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, UnreadableOutput } from '../../step.js';

const params = {
  type: 'object',
  properties: {
    warning: {
      ...rangeSchema('Warn when the part of the memory that is available is outside this range.'),
      default: '10%:',
      examples: ['10%:', '20%:'],
    },
    critical: {
      ...rangeSchema('Fail when the part of the memory that is available is outside this range.'),
      default: '5%:',
      examples: ['5%:'],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export interface MemoryData {
  readonly total: number;
  readonly available: number;
  /** available / total */
  readonly ratio: number;
  readonly swapTotal: number;
  readonly swapUsed: number;
  /** `container` when a cgroup limit is smaller than the memory of the machine. */
  readonly scope: 'machine' | 'container';
}

export default defineHostStep<FromSchema<typeof params>, MemoryData>({
  kind: 'check.memory',
  summary: 'Memory that is available, of the machine or of the container',
  params,
  effect: 'read',
  validate: (given) =>
    rangeProblems(given, { warning: { unit: 'ratio', lower: true }, critical: { unit: 'ratio', lower: true } }),
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse(output) {
    expectSuccess(output);
    const values = new Map(tabbedLines(output));
    const kib = (name: string) => numberOf(values.get(name), name) * 1024;
    const machine = { total: kib('MemTotal'), available: kib('MemAvailable') };
    const limit = values.has('limit') ? numberOf(values.get('limit'), 'limit') : Infinity;
    const contained = limit < machine.total;
    // Page cache that nobody used lately can be dropped at once: it counts as available.
    const group = contained
      ? limit - numberOf(values.get('usage'), 'usage') + numberOf(values.get('cache') ?? '0', 'cache')
      : Infinity;
    const total = contained ? limit : machine.total;
    const available = Math.max(0, Math.min(machine.available, group));
    if (total <= 0) throw new UnreadableOutput('total memory is 0');
    const swapTotal = kib('SwapTotal');
    return {
      total,
      available,
      ratio: available / total,
      swapTotal,
      swapUsed: swapTotal - kib('SwapFree'),
      scope: contained ? 'container' : 'machine',
    };
  },
  judge(data, { warning, critical }) {
    const limits = { warning: optionalRange(warning, 'ratio'), critical: optionalRange(critical, 'ratio') };
    const { level, reason, limit } = judgeNumber(data.ratio, limits.warning, limits.critical);
    const of = data.scope === 'container' ? 'the container limit of ' : '';
    const measured = `${formatQuantity(data.ratio, 'ratio')} of ${of}${formatQuantity(data.total, 'bytes')} memory is available`;
    return {
      outcome: level,
      reason,
      summary: limit ? `${measured}, ${formatLimit(limit, 'ratio')}` : measured,
      metrics: [
        metricOf('available', data.ratio, 'ratio', { ...limits, min: 0, max: 1 }),
        metricOf('available-bytes', data.available, 'bytes', { min: 0, max: data.total }),
        ...(data.swapTotal > 0 ? [metricOf('swap-used', data.swapUsed, 'bytes', { min: 0, max: data.swapTotal })] : []),
      ],
    };
  },
});
