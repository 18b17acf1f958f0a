import { isWildcard } from '../steps/check/address.js';
import { type Candidate, givenFor, type Subject, type Survey } from './subject.js';

/** Programs that speak HTTP, and ports that do as a rule: nothing else is asked, a GET may disturb it. */
const servers =
  /^(?:nginx|apache2|httpd|caddy|haproxy|lighttpd|traefik|envoy|varnishd?|h2o|openresty|gunicorn|uwsgi|grafana.*|prometheus.*)$/;
const plainPorts = [80, 3000, 8000, 8080, 9090, 9100];
const securePorts = [443, 8443];
/** TLS from the first byte, of other protocols. */
const otherSecure = [465, 636, 993, 995];

export const endpoints: Subject = {
  title: 'What answers on them',
  tag: 'endpoints',
  find(survey) {
    const checks = new Map<string, Candidate>();
    const given = givenFor(survey);
    // An address that is another one tomorrow is no address to ask.
    for (const { port, address, protocol } of survey.sockets.filter((socket) => !given.has(socket.address))) {
      if (protocol !== 'tcp' || checks.has(`http ${port}`) || checks.has(`tls ${port}`)) continue;
      const secure = securePorts.includes(port);
      const at = isWildcard(address) ? '127.0.0.1' : address;
      if (secure || otherSecure.includes(port)) checks.set(`tls ${port}`, tls(survey, at, port));
      if (!secure && !otherSecure.includes(port) && (plainPorts.includes(port) || isServer(survey, port)))
        checks.set(`http ${port}`, http(at, port));
    }
    return { checks: [...checks.values()] };
  },
};

function isServer(survey: Survey, port: number): boolean {
  return survey.lines('process').some((line) => {
    const [protocol, number, , ...name] = line.split(' ');
    return protocol === 'tcp' && number === String(port) && servers.test(name.join(' '));
  });
}

function http(address: string, port: number): Candidate {
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/`;
  return {
    uses: 'check.http',
    name: `The web server on port ${port} answers`,
    about: String(port),
    from: 'host',
    with: { url },
    otherwise: [
      { url, redirects: 0, status: ['300-399'] },
      { url, redirects: 0, status: [401, 403] },
      { url, redirects: 0, status: [404] },
    ],
    note: 'ask for a page that proves more than that something answers, and say in `body` what must be on it',
    ...(!plainPorts.includes(port) && { mend: 'if TLS is spoken there, write https:// and ask `check.tls`, too' }),
  };
}

/** Which name the certificate is for is not known: those of the host are tried. */
function tls(survey: Survey, address: string, port: number): Candidate {
  const [first, ...names] = [...new Set(survey.lines('hostname'))].toSorted((a, b) => b.length - a.length);
  const ways = [...(first === undefined ? [] : [first]), ...names].map((servername) => ({ address, port, servername }));
  return {
    uses: 'check.tls',
    name: `TLS on port ${port}`,
    about: String(port),
    from: 'host',
    with: ways[0] ?? { address, port },
    otherwise: ways.slice(1),
    mend: '`servername` says which name the certificate is for, `ca` which authority signed it',
  };
}
