import { duration } from '../../documents/duration.js';

/** The time that a look from the controller may take before it counts as a failure of the server. */
export const deadlineParam = {
  ...duration('Fail when it takes longer than this in all. Keep it below the `timeout` of the step.'),
  default: '10s',
  examples: ['3s', '500ms'],
} as const;
