import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { foundPattern, listPatterns, patternProblems, patternsSchema } from '../../patterns.js';
import { formatQuantity } from '../../quantity.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep } from '../../step.js';
import { type Issue, judgeIssues, measure, unclear, wrong } from '../issues.js';
import { readSensors, type Sensor } from './sensors.js';

const params = {
  type: 'object',
  properties: {
    sensors: {
      ...patternsSchema('Regular expressions (RE2) for chip and label of the sensors to look at. All when absent.'),
      examples: ['^coretemp Package', '^nvme'],
    },
    warning: {
      ...rangeSchema(
        'Warn when a temperature is outside this range; a number is degrees Celsius. Above the maximum that the sensor has for itself when absent.',
      ),
      examples: [75, '5:75'],
    },
    critical: {
      ...rangeSchema(
        'Fail when a temperature is outside this range; a number is degrees Celsius. Above the critical value that the sensor has for itself when absent.',
      ),
      examples: [90],
    },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export default defineHostStep<FromSchema<typeof params>, readonly Sensor[]>({
  kind: 'check.temperature',
  summary: 'Temperatures of processors, boards and disks that the kernel knows',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, { warning: 'celsius', critical: 'celsius' }),
    ...patternProblems(given, ['sensors']),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: () => [],
  parse: (output) => readSensors(output),
  judge(sensors, given) {
    if (sensors.length === 0)
      return { outcome: 'skipped', reason: 'no-sensor', summary: 'the kernel knows no temperature sensor' };
    const chosen = sensors.filter(({ name }) => !given.sensors || foundPattern(given.sensors, name) !== undefined);
    const absent = listPatterns(given.sensors).filter(
      (pattern) => !sensors.some(({ name }) => foundPattern(pattern, name)),
    );
    const read = chosen.flatMap((sensor) => (sensor.degrees === null ? [] : [{ ...sensor, degrees: sensor.degrees }]));
    const mute = chosen.filter(({ degrees }) => degrees === null);
    const numbers = read.map(({ name, degrees, max, critical }) =>
      measure(
        `temperature{${name}}`,
        degrees,
        'celsius',
        {
          warning: given.warning ?? (max === null ? undefined : `~:${max}`),
          critical: given.critical ?? (critical === null ? undefined : `~:${critical}`),
        },
        (text) => `${name} has ${text}`,
      ),
    );
    const issues: Issue[] = [
      ...absent.map((pattern) => wrong('sensor-absent', `there is no sensor /${pattern}/`)),
      // A radio that is off does not tell its temperature, and nobody minds unless it was asked for.
      ...(given.sensors || read.length === 0
        ? mute.map(({ name }) => unclear('sensor-silent', `${name} cannot be read`))
        : []),
      ...numbers.flatMap((number) => number.issues),
    ];
    const [hottest] = read.toSorted((a, b) => b.degrees - a.degrees);
    const most = read.length > 1 ? `, the most of ${read.length} sensors` : '';
    const calm = hottest ? `${hottest.name} has ${formatQuantity(hottest.degrees, 'celsius')}${most}` : '';
    return judgeIssues(issues, { calm, metrics: numbers.map(({ metric }) => metric) });
  },
});
