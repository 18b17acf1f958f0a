import type { Candidate, Subject } from './subject.js';

export const network: Subject = {
  title: 'Network',
  tag: 'network',
  find(survey) {
    const routes = new Map(survey.routes.map((route) => [route.family, route]));
    const given = new Set(survey.lines('dynamic').flatMap((line) => (line.includes(':') ? [] : [line.split(' ')[0]])));
    const leading = new Set(survey.routes.map((route) => route.interface));
    const interfaces = survey.lines('interface').flatMap((line): Candidate[] => {
      const [state = '', device = '', ...rest] = line.split(' ');
      const name = rest.join(' ');
      // Virtual interfaces come and go with containers; those that the traffic leaves by do not.
      const lasts = device === 'physical' || leading.has(name) || /^(?:bond|team|br|vlan|wg)\d/.test(name);
      if (!lasts || (state !== 'up' && !leading.has(name))) return [];
      return [{ uses: 'check.interface', name: `${name} is up`, about: name, with: { name } }];
    });
    return {
      checks: [
        ...interfaces,
        ...Array.from(routes.values(), ({ family, gateway, interface: name }): Candidate => {
          // A gateway of IPv6 or of DHCP tells itself to the host, and is another one after a repair.
          const fixed = gateway !== null && family === 'ipv4' && !given.has(name) ? { gateway } : {};
          return {
            uses: 'check.route',
            name: `Default route of ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`,
            about: family,
            with: { family, ...fixed, interface: name },
          };
        }),
        { uses: 'check.bond', name: 'Bonded interfaces', optional: true },
        {
          uses: 'check.firewall',
          name: 'Packets are filtered',
          mend: 'a host that others reach should have one',
          note: 'say in `input` what becomes of packets that no rule takes',
        },
      ],
      notes: ['name resolution: give `check.dns-resolver` a name that every host of yours must know'],
    };
  },
};
