import { optionalRange } from '../range.js';

/** Schema of the time that a look from the controller may take before it counts as a failure of the server. */
export const deadlineParam = {
  type: ['string', 'number'],
  default: '10s',
  description:
    'Fail when it takes longer than this in all; a number is seconds. Keep it below the `timeout` of the step.',
  examples: ['3s', '500ms'],
} as const;

export function deadlineSeconds(deadline: string | number): number {
  return optionalRange(deadline, 'seconds')?.end ?? 10;
}
