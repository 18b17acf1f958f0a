import { expectSuccess } from '../../lines.js';
import { type ProbeOutput, text, UnreadableOutput } from '../../step.js';
import { readUnits, secondsSince, type UnitProperties } from '../units.js';

export interface ServiceData {
  readonly manager: 'systemd' | 'openrc' | 'sysv';
  /** The unit that an alias stands for; empty where the manager does not tell. */
  readonly id: string;
  /**
   * `running`; `waiting` (a socket, timer or path starts it when needed); `done` (a one-shot that ran);
   * `exited` (another that is active without a process); `starting`; `looping` (dies and is restarted); `stopped`; `failed`; `masked`; `not-found`; `unknown`.
   */
  readonly state:
    | 'running'
    | 'waiting'
    | 'done'
    | 'exited'
    | 'starting'
    | 'looping'
    | 'stopped'
    | 'failed'
    | 'masked'
    | 'not-found'
    | 'unknown';
  /** For people: `is running`, `has failed (exit-code, status 1)`. */
  readonly detail: string;
  /** In the manager's word: `enabled`, `disabled`, `static`, `masked` … */
  readonly enabled: string;
  /** Null where neither can be said: a static unit starts when another one needs it. */
  readonly startsAtBoot: boolean | null;
  readonly restarts: number | null;
  /** Seconds since it became active. */
  readonly since: number | null;
  readonly pid: number | null;
}

type State = Pick<ServiceData, 'state' | 'detail'>;

export function readService(output: ProbeOutput): ServiceData {
  expectSuccess(output);
  const [said = '', triggers = ''] = text(output.stdout).split(/^== triggers$/m);
  const unit = Object.assign({}, ...readUnits(said)) as UnitProperties;
  switch (unit.manager) {
    case 'systemd': {
      const triggeredBy = readUnits(triggers).filter(({ ActiveState }) => ActiveState === 'active');
      const since = unit.ActiveState === 'active' ? unit.ActiveEnterTimestampMonotonic : undefined;
      const pid = Number(unit.MainPID ?? 0);
      const age = secondsSince(since, Number(unit.Uptime));
      const restarts = unit.NRestarts ? Number(unit.NRestarts) : null;
      const state = unitState(
        unit,
        triggeredBy.map(({ Id = '' }) => Id),
      );
      return {
        manager: 'systemd',
        id: unit.Id ?? '',
        ...(isFlapping(state, restarts, age)
          ? { state: 'looping', detail: `dies and is restarted (${restarts} restarts, the last a moment ago)` }
          : state),
        ...bootState(unit.LoadState === 'not-found' ? 'gone' : (unit.InitLinks ?? unit.UnitFileState ?? '')),
        restarts,
        since: age,
        pid: pid > 0 ? pid : null,
      };
    }
    case 'openrc':
    case 'sysv':
      return {
        manager: unit.manager,
        id: '',
        ...(unit.LoadState === 'not-found'
          ? { state: 'not-found', detail: 'does not exist' }
          : unit.manager === 'openrc'
            ? openrcState(Number(unit.Status))
            : sysvState(Number(unit.Status))),
        ...bootState(unit.UnitFileState ?? ''),
        restarts: null,
        since: null,
        pid: null,
      };
    default:
      throw new UnreadableOutput('the service manager is missing');
  }
}

/** `is-active` says "inactive" for a unit that does not exist, too: only LoadState tells. */
function unitState(unit: UnitProperties, triggers: readonly string[]): State {
  const { LoadState, ActiveState, SubState, Result, Type } = unit;
  // What runs may have lost its file.
  const gone = LoadState === 'not-found';
  if (gone && (ActiveState === 'inactive' || ActiveState === 'failed'))
    return { state: 'not-found', detail: 'does not exist' };
  const why = `${Result}${unit.ExecMainStatus && unit.ExecMainStatus !== '0' ? `, status ${unit.ExecMainStatus}` : ''}`;
  switch (ActiveState) {
    case 'active':
    case 'reloading':
    case 'refreshing':
      if (SubState === 'exited')
        return !Type || Type === 'oneshot'
          ? { state: 'done', detail: 'has run to its end' }
          : { state: 'exited', detail: `counts as active, but none of its processes is left (type ${Type})` };
      return {
        state: 'running',
        detail: `is ${SubState === 'waiting' ? 'waiting' : 'running'}${gone ? ', but its unit file is gone,' : ''}`,
      };
    case 'activating':
      return SubState === 'auto-restart' || SubState === 'auto-restart-queued'
        ? { state: 'looping', detail: `dies and is restarted (${why}, ${unit.NRestarts ?? 'some'} restarts)` }
        : { state: 'starting', detail: `is starting (${SubState})` };
    case 'failed':
      return { state: 'failed', detail: `has failed (${why})` };
    case 'inactive':
    case 'deactivating':
    case 'maintenance':
      if (LoadState === 'masked') return { state: 'masked', detail: 'is masked' };
      if (LoadState !== 'loaded') return { state: 'failed', detail: `cannot be loaded (${LoadState})` };
      if (triggers.length > 0) return { state: 'waiting', detail: `waits for ${triggers.join(', ')}` };
      return { state: 'stopped', detail: ActiveState === 'deactivating' ? 'is stopping' : 'is stopped' };
    default:
      throw new UnreadableOutput(`systemd gives no state: ${ActiveState ?? 'nothing'}`);
  }
}

/** Caught between two deaths. `check.systemd` looks further back. */
function isFlapping({ state }: State, restarts: number | null, since: number | null): boolean {
  return state === 'running' && restarts !== null && restarts >= 3 && since !== null && since < 60;
}

/** rc-service: 0 started, 3 stopped, 8 starting, 16 inactive (waits for something), 4 stopping, 32 crashed. */
function openrcState(status: number): State {
  switch (status) {
    case 0:
      return { state: 'running', detail: 'is running' };
    case 3:
    case 4:
      return { state: 'stopped', detail: 'is stopped' };
    case 8:
      return { state: 'starting', detail: 'is starting' };
    case 16:
      return { state: 'waiting', detail: 'is inactive, it waits for something' };
    case 32:
      return { state: 'failed', detail: 'has crashed' };
    default:
      return { state: 'unknown', detail: `rc-service ended with status ${status}` };
  }
}

/** Status of an init script by the Linux Standard Base; a script without `status` mostly ends with 1 or 2. */
function sysvState(status: number): State {
  switch (status) {
    case 0:
      return { state: 'running', detail: 'is running' };
    case 1:
      return { state: 'failed', detail: 'is dead but its pid file is there' };
    case 2:
      return { state: 'failed', detail: 'is dead but its lock file is there' };
    case 3:
      return { state: 'stopped', detail: 'is stopped' };
    default:
      return { state: 'unknown', detail: `its init script ended with status ${status}` };
  }
}

function bootState(enabled: string): Pick<ServiceData, 'enabled' | 'startsAtBoot'> {
  const startsAtBoot = enabled === 'enabled' || enabled === 'alias';
  // `enabled-runtime` lasts until the host restarts, and a linked unit only lies elsewhere.
  const never = /^(?:disabled|gone|transient|masked.*|linked.*|enabled-runtime)$/.test(enabled);
  return { enabled: enabled || 'unknown', startsAtBoot: startsAtBoot ? true : never ? false : null };
}
