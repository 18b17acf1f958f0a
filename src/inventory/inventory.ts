import type { Place } from '../errors.js';

/** A value with every place that set it; the last one won. */
export interface Origin {
  readonly place: Place;
  /** `host web1`, `group prod`, `defaults`, `ssh_config` … */
  readonly source: string;
  readonly value: unknown;
}

export interface Group {
  readonly name: string;
  /** Hosts that it names itself; `hostsOfGroup` in members.ts adds those of its child groups. */
  readonly hosts: readonly string[];
  /** Its child groups. */
  readonly groups: readonly string[];
}

/** Connection settings as the inventory gives them, before ssh_config and defaults fill the gaps. */
export interface ConnectSettings {
  readonly transport?: 'local' | 'ssh' | 'openssh';
  readonly address?: string;
  readonly port?: number;
  readonly user?: string;
  readonly identity?: string | readonly string[];
  readonly jump?: string | readonly string[];
  /** Hosts that it is behind. */
  readonly parents?: string | readonly string[];
  readonly sudo?: boolean | SudoSettings;
  readonly shell?: string;
  readonly host_key?: string;
  readonly password?: SecretReference;
  readonly passphrase?: SecretReference;
  /** Durations such as `5s`, by the names in transports/deadlines.ts. */
  readonly deadlines?: Readonly<Record<string, string>>;
}

export interface SudoSettings {
  readonly password?: SecretReference;
  readonly user?: string;
}

/** `{ secret: "env:DB_PW" }` */
export interface SecretReference {
  readonly secret: string;
}

export interface Host {
  readonly name: string;
  /** All groups it belongs to, parents included, `all` first. */
  readonly groups: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly connect: ConnectSettings;
  /** Where each variable and connection setting came from; keys `vars.NAME` and `connect.NAME`. */
  readonly origins: ReadonlyMap<string, readonly Origin[]>;
  /** Where the host itself was named first. */
  readonly place?: Place;
}

export interface Inventory {
  /** The files it was read from. */
  readonly files: readonly string[];
  /** In file order. */
  readonly hosts: ReadonlyMap<string, Host>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly warnings: readonly string[];
}
