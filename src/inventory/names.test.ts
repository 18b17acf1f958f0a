import { describe, expect, it } from 'vitest';
import { refuseHop } from './connect.js';
import { readPort, refuseGroupName, refuseHostName, refuseUserName } from './names.js';

describe('names that reach a command line', () => {
  it.each(['web1', 'web-1.example.com', '10.0.0.1', '::1', 'fe80::1%eth0', 'bücher.example', 'a_b', '1a', 'web+1'])(
    'takes the host %s',
    (name) => {
      expect(refuseHostName(name)).toBeUndefined();
    },
  );

  it.each([
    '',
    '-x',
    '-oProxyCommand=x',
    'a;b',
    'a b',
    'a$b',
    'a`b`',
    'a|b',
    'a\nb',
    'a\u202eb',
    '..',
    '.a',
    'a/b',
    'a"b',
    "a'b",
    '%h',
    '@a',
    'x'.repeat(256),
  ])('refuses the host %j', (name) => {
    expect(refuseHostName(name)).toMatchObject({ code: 'E_HOSTNAME' });
  });

  it.each(['root', 'ops-1', 'DOMAIN\\ops', 'ops@example.com', 'ops.team', 'ö'])('takes the user %s', (user) => {
    expect(refuseUserName(user)).toBeUndefined();
  });

  it.each(['', '-l', 'a b', 'a;b', '$(id)', 'a`b', 'a\u001b', 'a\n', 'a\\', "a'b", 'a\u202eb'])(
    'refuses the user %j',
    (user) => {
      expect(refuseUserName(user)).toMatchObject({ code: 'E_USERNAME' });
    },
  );

  it.each([0, 65_536, '22x', 22.5, -1, '22', null, true, Number.NaN])('refuses the port %j', (port) => {
    expect(readPort(port, false)).toMatchObject({ code: 'E_RANGE' });
  });

  it('takes a port that Ansible quotes', () => {
    expect(readPort('2222', true)).toBe(2222);
    expect(readPort(65_535, false)).toBe(65_535);
  });

  it.each(['a b', '', 'a,b', 'a:b', '!a', '&a', '~a', '@a', 'a[1]', '-a', 'a*'])(
    'refuses the group %j, a pattern could not name it',
    (name) => {
      expect(refuseGroupName(name)).toMatchObject({ code: 'E_INV_GROUP' });
    },
  );

  it.each(['bastion', 'ops@bastion', 'ops@bastion:2222', '[fe80::1]:22', 'fe80::1', 'a@b@bastion'])(
    'takes the jump host %s',
    (hop) => {
      expect(refuseHop(hop)).toEqual([]);
    },
  );

  it.each(['', '-x', 'ops@-x', 'b:0', 'b:x', '-l@b', 'a b@c', 'b;c'])('refuses the jump host %j', (hop) => {
    expect(refuseHop(hop).length).toBeGreaterThan(0);
  });
});
