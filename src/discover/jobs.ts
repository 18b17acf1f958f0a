import type { Subject } from './subject.js';
import { chosen, named, shortName, startsAtBoot } from './units.js';

export const jobs: Subject = {
  title: 'Timers and cron',
  tag: 'jobs',
  find(survey) {
    const timers = chosen(survey.units, '.timer').filter((unit) => startsAtBoot(unit) && unit.ActiveState === 'active');
    const files = survey.lines('cron').toSorted();
    return {
      checks: [
        ...timers.map((unit) => {
          const name = shortName(named(unit)).replace(/\.timer$/, '');
          return { uses: 'check.timer', name: `Timer ${name}`, about: name, with: { name } };
        }),
        { uses: 'check.cron', name: 'Cron runs', optional: true as const },
      ],
      notes:
        files.length > 0
          ? [
              `jobs stand in ${files.join(', ')}`,
              'for each that matters, say how old its last start may be: `check.cron` with `command` and `critical-age`',
            ]
          : [],
    };
  },
};
