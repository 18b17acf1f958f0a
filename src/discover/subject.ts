import type { Socket } from '../steps/check/listening/allowed.js';
import type { UnitProperties } from '../steps/check/units.js';

/** What a host has, as far as it shows it. All of it comes from the host: data, never trusted text. */
export interface Survey {
  /** Lines of `run.survey` of one subject; none where the host lacks it. */
  lines(subject: string): readonly string[];
  readonly isRoot: boolean;
  readonly units: readonly UnitProperties[];
  readonly sockets: readonly Socket[];
  /** The default routes in use. */
  readonly routes: readonly {
    readonly family: 'ipv4' | 'ipv6';
    readonly gateway: string | null;
    readonly interface: string;
  }[];
}

/** Addresses that the host has for a time only, by DHCP or from a router. */
export function givenFor(survey: Survey): ReadonlySet<string> {
  return new Set(survey.lines('dynamic').map((line) => line.split(' ')[1] ?? ''));
}

type Params = Readonly<Record<string, unknown>>;

/** A check that the host may pass. It is tried before it is written. */
export interface Candidate {
  readonly uses: string;
  readonly name: string;
  /** What it is about, besides the kind: makes its id, and sorts it. */
  readonly about?: string;
  readonly with?: Params;
  /** Other parameters, for when the host does not pass with `with`: the first that it passes are written. */
  readonly otherwise?: readonly Params[];
  readonly from?: 'host';
  /** What a person has to know, or decide. */
  readonly note?: string;
  /** What may make a host pass that does not. */
  readonly mend?: string;
  /** Of no interest to a host that lacks its subject: then nothing is said. */
  readonly optional?: true;
}

export interface Found {
  readonly checks: readonly Candidate[];
  /** What no check was made of, and a person has to decide. */
  readonly notes?: readonly string[];
}

/** One part of a runbook: pure, from the survey of a host to the checks that it may pass. */
export interface Subject {
  /** Heading in the runbook. */
  readonly title: string;
  readonly tag: string;
  find(survey: Survey): Found;
}
