import { addGroup, addHost, type Draft } from '../draft.js';
import { expandRange, HostRangeError } from '../ranges.js';
import { splitHostPort } from './ansible-address.js';
import { ansibleConnect } from './ansible-connect.js';

/** `web1,web2,` on the command line: hosts, with ranges and ports, and nothing else. */
export function readHostList(list: string, draft: Draft): void {
  const place = () => ({ file: list });
  for (const item of list.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const { host: pattern, port } = splitHostPort(item);
    try {
      for (const name of expandRange(pattern)) {
        if (draft.hosts.has(name)) continue;
        const host = addHost(draft, name, place);
        if (!host) continue;
        addGroup(draft, 'ungrouped', place)?.hosts.add(name);
        if (port === undefined) continue;
        const vars = { ansible_port: port };
        const connect = ansibleConnect(vars, () => place(), draft);
        host.layers.push({ vars, connect, place });
      }
    } catch (error) {
      if (!(error instanceof HostRangeError)) throw error;
      draft.problems.push({ code: 'E_INV_RANGE', what: error.message, hint: 'mend the range', place: place() });
    }
  }
}
