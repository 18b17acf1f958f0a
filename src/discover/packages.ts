import type { Subject, Survey } from './subject.js';
import { chosen, startsAtBoot } from './units.js';

export const packages: Subject = {
  title: 'Packages behind the services',
  tag: 'packages',
  find(survey) {
    const programs = programsOf(survey);
    const names = survey.lines('owner').flatMap((line) => {
      const [name = '', program = ''] = line.split(' ');
      return programs.has(program) || programs.has(`/usr${program}`) ? [name.replace(/:.*$/, '')] : [];
    });
    return {
      checks: [...new Set(names)]
        .toSorted()
        .map((name) => ({ uses: 'check.package', name: `Package ${name}`, about: name, with: { name } })),
    };
  },
};

/** Programs of the services that are checked, and of what listens; not of systemd, which holds sockets for others. */
function programsOf(survey: Survey): ReadonlySet<string> {
  const running = chosen(survey.units, '.service').filter(
    (unit) => unit.SubState === 'running' && (startsAtBoot(unit) || unit.UnitFileState === 'disabled'),
  );
  const listening = survey.lines('process').map((line) => line.split(' ')[2] ?? '-');
  const programs = [...running.flatMap(({ ExecStart }) => (ExecStart ? [ExecStart] : [])), ...listening];
  return new Set(programs.filter((program) => !/\/systemd\/systemd$/.test(program)));
}
