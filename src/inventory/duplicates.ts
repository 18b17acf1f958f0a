import type { Problem } from '../errors.js';
import type { Draft, HostDraft } from './draft.js';
import type { ConnectSettings } from './inventory.js';

/** Settings that decide which machine is meant and who logs in. Two answers for one host are a mistake. */
const identifying = ['address', 'port', 'user', 'transport'] as const satisfies readonly (keyof ConnectSettings)[];

/** Hosts that are written twice with different answers. A group may say something else than a host: that is a default. */
export function findDuplicates(draft: Draft): Problem[] {
  return [...draft.hosts.values()].flatMap((host) =>
    host.layers.length < 2 ? [] : identifying.flatMap((setting) => duplicatesOf(host, setting)),
  );
}

function duplicatesOf(host: HostDraft, setting: (typeof identifying)[number]): Problem[] {
  const layers = host.layers.filter((layer) => layer.connect[setting] !== undefined);
  const [first] = layers;
  const other = layers.find((layer) => layer.connect[setting] !== first?.connect[setting]);
  if (!first || !other) return [];
  const [start, place] = [first.place(`connect.${setting}`), other.place(`connect.${setting}`)];
  const where = start.file === place.file ? `line ${start.line}` : `${start.file}:${start.line}`;
  return [
    {
      code: 'E_INV_DUP',
      what: `host "${host.name}" has a second \`${setting}\`, first at ${where}`,
      hint: 'keep one of them',
      place,
    },
  ];
}
