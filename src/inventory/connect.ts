import type { Place, Problem } from '../errors.js';
import type { ConnectSettings } from './inventory.js';
import { connectSettingNames } from './inventory.schema.js';
import { readPort, refuseHostName, refuseUserName } from './names.js';

export type PlaceOf = (path: readonly (string | number)[]) => Place;

/**
 * The connection settings in a map of opsctl's own format. The schema has looked at the types; here is what it
 * cannot say: names that ssh would misread, and ports.
 */
export function readConnect(raw: unknown, placeOf: PlaceOf, problems: Problem[]): ConnectSettings {
  if (!isMap(raw)) return noSettings;
  const connect: Record<string, unknown> = {};
  for (const name in raw) {
    if (!settingNames.has(name)) continue;
    const value = raw[name];
    for (const problem of refuseSetting(name, value)) {
      const { path = [], ...rest } = problem;
      problems.push({ ...rest, place: placeOf([name, ...path]) });
    }
    connect[name] = value;
  }
  return connect as ConnectSettings;
}

const settingNames: ReadonlySet<string> = new Set(connectSettingNames);
const noSettings: ConnectSettings = Object.freeze({});

type SettingProblem = Omit<Problem, 'place'> & { readonly path?: readonly (string | number)[] };

function refuseSetting(name: string, value: unknown): SettingProblem[] {
  switch (name) {
    case 'address':
      return typeof value === 'string' ? list(refuseHostName(value, 'address')) : [];
    case 'user':
      return typeof value === 'string' ? list(refuseUserName(value)) : [];
    case 'port': {
      const port = readPort(value, false);
      return typeof port === 'number' ? [] : [port];
    }
    case 'jump':
      return (Array.isArray(value) ? value : [value]).flatMap((hop, index) =>
        typeof hop === 'string'
          ? refuseHop(hop).map((problem) => (Array.isArray(value) ? { ...problem, path: [index] } : problem))
          : [],
      );
    case 'sudo': {
      if (!isMap(value)) return [];
      const user = typeof value.user === 'string' ? list(refuseUserName(value.user)) : [];
      return user.map((problem) => ({ ...problem, path: ['user'] }));
    }
    default:
      return [];
  }
}

/** `bastion`, `ops@bastion:2222`, `[fe80::1]:22`. */
export function refuseHop(hop: string): Omit<Problem, 'place'>[] {
  const at = hop.lastIndexOf('@');
  const user = at === -1 ? undefined : hop.slice(0, at);
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]*)\]|([^:]*|[^:]*:[^:]*:.*?))(?::([^:]*))?$/.exec(hop.slice(at + 1)) ?? [];
  const name = bracketed ?? plain ?? hop.slice(at + 1);
  return [
    ...(user === undefined ? [] : list(refuseUserName(user))),
    ...list(refuseHostName(name, 'jump host')),
    ...(port === undefined ? [] : [readPort(port, true)].filter((result) => typeof result !== 'number')),
  ];
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list<T>(item: T | undefined): T[] {
  return item === undefined ? [] : [item];
}
