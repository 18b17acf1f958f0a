/**
 * A host and its port as Ansible splits them (parsing/utils/addresses.py): `web1:2222`, `[fe80::1]:22`,
 * `web[1:3]:22`. What is no address of any kind is left whole.
 */
export function splitHostPort(text: string): { readonly host: string; readonly port?: number } {
  let host = text;
  let port: string | undefined;
  for (const shape of [bracketed, suffixed]) {
    const match = shape.exec(host);
    if (match) {
      host = match[1] ?? '';
      port = match[2];
    }
  }
  const known = ipv4.test(host) || ipv6.test(host) || hostname.test(host);
  if (!known) return { host: text };
  return port === undefined ? { host } : { host, port: Number(port) };
}

const bracketed = /^\[(.+)\]:(\d+)$/;
const suffixed = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/;

const numeric = '\\[\\d+:\\d+(?::\\d+)?\\]';
const octet = `(?:[01]?\\d{1,2}|2[0-4]\\d|25[0-5]|${numeric})`;
const ipv4 = new RegExp(`^(?:${octet}\\.){3}${octet}$`);

const word = '(?:[0-9a-f]{1,4}|\\[[0-9a-f]+:[0-9a-f]+(?::\\d+)?\\])';
const ipv6 = new RegExp(
  `^(?:${[
    `(?:${word}:){7}${word}`,
    `(?:${word}:){1,6}:`,
    `(?:${word}:)(?::${word}){1,6}`,
    `(?:${word}:){2}(?::${word}){1,5}`,
    `(?:${word}:){3}(?::${word}){1,4}`,
    `(?:${word}:){4}(?::${word}){1,3}`,
    `(?:${word}:){5}(?::${word}){1,2}`,
    `(?:${word}:){6}(?::${word})`,
    `:(?::${word}){1,6}`,
    `${word}?::`,
    `::(?:ffff:)?(?:\\d{1,3}\\.){3}\\d{1,3}`,
  ].join('|')})$`,
  'i',
);

const range = '\\[(?:[a-z]:[a-z]|\\d+:\\d+)(?::\\d+)?\\]';
const label = `(?:[\\p{L}\\p{N}_]|${range})(?:[\\p{L}\\p{N}_-]|${range})*(?<![_-])`;
const hostname = new RegExp(`^${label}(?:\\.${label})*$`, 'iu');
