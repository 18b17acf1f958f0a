/** What may be a host, a user and a port. Names reach command lines, patterns and file names, so the set is small. */

interface Refusal {
  readonly code: 'E_HOSTNAME' | 'E_USERNAME' | 'E_RANGE' | 'E_INV_GROUP';
  readonly what: string;
  readonly hint: string;
}

const plainHost = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}._%+@:/-]*[\p{L}\p{M}\p{N}_:%.-])?$/u;
const hostCharacter = /[\p{L}\p{M}\p{N}._%+@:-]/u;

/** Why `name` cannot be a host name or an address, if it cannot. */
export function refuseHostName(name: string, role = 'host'): Refusal | undefined {
  // Nearly all names, without looking at each character of 50,000 of them.
  if (name.length <= 255 && /^[A-Za-z0-9_][\w.-]*$/.test(name)) return undefined;
  if (name === '') return { code: 'E_HOSTNAME', what: `${role} is empty`, hint: 'write a name or an address' };
  if (name.startsWith('-'))
    return {
      code: 'E_HOSTNAME',
      what: `${role} "${printable(name)}" may not start with "-"`,
      hint: 'it would be read as an option of ssh',
    };
  for (const character of name)
    if (!hostCharacter.test(character))
      return {
        code: 'E_HOSTNAME',
        what: `${role} "${printable(name)}" has the character ${show(character)}`,
        hint: 'use letters, digits and . _ - + % @ :',
      };
  if (name.length > 255)
    return { code: 'E_HOSTNAME', what: `${role} "${name.slice(0, 40)}…" is longer than 255`, hint: 'shorten it' };
  if (!plainHost.test(name) && !/^[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i.test(name))
    return {
      code: 'E_HOSTNAME',
      what: `${role} "${name}" may not start with "${name.charAt(0)}"`,
      hint: 'start with a letter or a digit',
    };
  return undefined;
}

/** The rules of ssh itself (valid_ruser, OpenSSH 10.1): a user name ends up in ProxyCommand and Match exec lines. */
export function refuseUserName(user: string): Refusal | undefined {
  const hint = 'write the plain login name';
  const refuse = (what: string): Refusal => ({ code: 'E_USERNAME', what, hint });
  if (user === '') return refuse('user is empty');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.exec(user)?.[0];
  if (control) return refuse(`user "${printable(user)}" has the control character ${show(control)}`);
  if (user.startsWith('-')) return refuse(`user "${user}" may not start with "-"`);
  const bad = /[`'"$;&<>|(){}\s]/u.exec(user)?.[0];
  if (bad) return refuse(`user "${user}" has the character ${show(bad)}`);
  if (user.endsWith('\\')) return refuse(`user "${user}" may not end with "\\"`);
  return undefined;
}

/** A port, or why it is none. Text of digits counts: Ansible inventories quote ports. */
export function readPort(value: unknown, textAllowed: boolean): number | Refusal {
  const port = textAllowed && typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  return {
    code: 'E_RANGE',
    what: `port is 1-65535, got ${typeof value === 'string' ? `"${printable(value)}"` : JSON.stringify(value)}`,
    hint: 'write a whole number',
  };
}

export function refuseGroupName(name: string): Refusal | undefined {
  const bad = /[^\p{L}\p{M}\p{N}._+-]/u.exec(name)?.[0];
  if (name !== '' && bad === undefined && !/^[-.]/.test(name)) return undefined;
  return {
    code: 'E_INV_GROUP',
    what:
      name === ''
        ? 'group name is empty'
        : bad === undefined
          ? `group "${name}" may not start with "${name.charAt(0)}"`
          : `group "${printable(name)}" has the character ${show(bad)}`,
    hint: 'use letters, digits and . _ - +',
  };
}

function show(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  if (code === 0x20) return '" " (a space)';
  return /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character) ? `"${character}"` : hex;
}

/** Names in messages never move the cursor. */
function printable(name: string): string {
  return name.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}
