import type { Candidate, Subject } from './subject.js';

/** Prints the users of `check.user`'s kind of list: who may get a shell. */
const withShell = `awk -F: 'NF >= 7 && $7 !~ /\\/(nologin|false|sync|shutdown|halt)$/ { print $1 }' /etc/passwd | sort | tr '\\n' ' '`;
const withRoot = `awk -F: '$3 == 0 { print $1 }' /etc/passwd | sort | tr '\\n' ' '`;

export const users: Subject = {
  title: 'Users',
  tag: 'users',
  find(survey) {
    const entries = survey.lines('user').map((line) => {
      const [name = '', uid = '', home = '', shell = ''] = line.split(':');
      return { name, uid: Number(uid), home, shell };
    });
    const groups = survey.lines('group').map((line) => {
      const [group = '', members = ''] = line.split(':');
      return { group, members: members.split(',').filter(Boolean).toSorted() };
    });
    const checks = entries.map(({ name, uid, home, shell }): Candidate => {
      const inside = groups.filter(({ members }) => members.includes(name)).map(({ group }) => group);
      return {
        uses: 'check.user',
        name: `User ${name}`,
        about: name,
        with: {
          ...{ name, uid, home },
          ...(shell !== '' && { shell }),
          ...(inside.length > 0 && { groups: inside.toSorted() }),
        },
      };
    });
    if (entries.length === 0) return { checks };
    const all = entries.map(({ name }) => name);
    const roots = entries.filter(({ uid }) => uid === 0).map(({ name }) => name);
    return {
      checks: [
        ...checks,
        ...groups.map(membersOf),
        only('Nobody else has a login shell', 'login shells', withShell, all),
        only('Nobody else is root', 'user id 0', withRoot, roots),
      ],
    };
  },
};

/** Who is in a group of power may do what root may. */
function membersOf({ group, members }: { readonly group: string; readonly members: readonly string[] }): Candidate {
  return {
    uses: 'check.group',
    name: members.length > 0 ? `Nobody else is in ${group}` : `Nobody is in ${group}`,
    about: group,
    with: { name: group, members, only: true },
    ...(members.length > 0 && { note: `members of ${group}: ${members.join(', ')}: is that right?` }),
  };
}

function only(name: string, about: string, command: string, expected: readonly string[]): Candidate {
  // By bytes, as `sort` does with LC_ALL=C.
  const equals = expected
    .map((one) => Buffer.from(one))
    .toSorted(Buffer.compare)
    .join(' ');
  return { uses: 'check.command', name, about, with: { command, equals } };
}
