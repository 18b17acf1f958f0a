import type { UnitProperties } from '../steps/check/units.js';
import type { Candidate, Found, Subject, Survey } from './subject.js';
import { chosen, named, shortName, startsAtBoot } from './units.js';

export const services: Subject = {
  title: 'Services',
  tag: 'services',
  find(survey) {
    if (survey.lines('manager').includes('systemd')) return ofSystemd(survey);
    // Other managers have no list of what is running: each service is asked, and those that say yes are written.
    const scripts = survey.lines('script').filter((name) => !baseScripts.test(name));
    const checks = [...new Set(scripts)].map((name) => service(name, { name, enabled: true }));
    return { checks };
  },
};

const baseScripts =
  /^(?:dbus|sudo|procps|urandom|rc\.local|local|killprocs|console-setup\.sh|keyboard-setup\.sh|hwclock.*|bootmisc.*|plymouth.*|rsync|x11-common)$/;

function ofSystemd({ units }: Survey): Found {
  const checks: Candidate[] = [{ uses: 'check.systemd', name: 'No unit has failed' }];
  const notes: string[] = [];
  const sockets = new Set(
    chosen(units, '.socket')
      .filter((unit) => unit.ActiveState === 'active' && startsAtBoot(unit))
      .map(named),
  );
  for (const name of sockets) checks.push(service(name, { name, enabled: true }));
  for (const unit of chosen(units, '.service')) {
    const name = shortName(named(unit));
    const own = triggersOf(unit).filter((trigger) => sockets.has(trigger));
    // systemd names them in another order each time.
    const starters = own.toSorted().join(', ');
    if (own.length > 0)
      notes.push(`${name} is started by ${starters}, which ${own.length > 1 ? 'are' : 'is'} checked in its place`);
    else if (triggersOf(unit).some((trigger) => trigger.endsWith('.timer'))) continue;
    else if (startsAtBoot(unit)) {
      // A one-shot that leaves nothing behind is over as soon as it ran.
      if (unit.Type === 'oneshot' && unit.ActiveState === 'inactive') continue;
      if (keptAway(unit)) continue;
      if (unit.ActiveState === 'inactive') notes.push(`${name} should start with the system, and does not run now`);
      else checks.push(service(name, { name, enabled: true }));
    } else if (unit.SubState === 'running' && unit.UnitFileState === 'disabled') {
      const note = 'it does not start with the system: after a restart it is gone';
      checks.push({ ...service(name, { name }), note });
    } else if (unit.SubState === 'running' && unit.UnitFileState === 'generated') checks.push(service(name, { name }));
  }
  return { checks, notes };
}

/** A condition of the unit itself did not hold when it was to start, so nothing is amiss. */
function keptAway({ ActiveState, ConditionResult, ConditionTimestampMonotonic = '0' }: UnitProperties): boolean {
  return ActiveState === 'inactive' && ConditionResult === 'no' && ConditionTimestampMonotonic !== '0';
}

function triggersOf({ TriggeredBy = '' }: UnitProperties): readonly string[] {
  return TriggeredBy.split(' ').filter((name) => name !== '');
}

function service(name: string, params: Readonly<Record<string, unknown>>): Candidate {
  const says = name.endsWith('.socket') ? 'is open' : 'runs';
  return { uses: 'check.service', name: `${name} ${says}`, about: name, with: params };
}
