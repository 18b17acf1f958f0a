/** Inventories written by hand, each for one rule. The value is a file, or several with the source first. */
export interface Case {
  readonly files: Readonly<Record<string, string>>;
  /** The first file when absent. */
  readonly sources?: readonly string[];
}

const ini = (text: string): Case => ({ files: { hosts: text } });
const yaml = (text: string): Case => ({ files: { 'hosts.yml': text } });
const program = (json: unknown, host = ''): Case => ({
  files: {
    'hosts.sh': `#!/bin/sh\nif [ "$1" = --list ]; then cat <<'END'\n${JSON.stringify(json)}\nEND\nelse ${host || 'echo {}'}\nfi\n`,
  },
});

export const cases: Readonly<Record<string, Case>> = {
  'ini: one host': ini('web1\n'),
  'ini: comments of both kinds': ini('# a\n; b\nweb1 # c\nweb2 a=1#x\nweb3 b="x # y"\n  # indented\n'),
  'ini: groups and children': ini('[web]\nw1\nw2\n[db]\nd1\n[prod:children]\nweb\ndb\n'),
  'ini: children before their groups': ini('[a:children]\nb\nc\n[c:children]\nd\n[b]\nh1\n[d]\nh2\n'),
  'ini: pending children of pending children': ini('[a:children]\nb\n[b:children]\nc\n[c]\nh\n'),
  'ini: vars before their group': ini('[web:vars]\na=1\n[web]\nw1\n'),
  'ini: the same section twice': ini('[web]\nw1\n[db]\nd1\n[web]\nw2\n[web:vars]\na=1\n[web:vars]\na=2\nb=3\n'),
  'ini: all and ungrouped have variables': ini(
    'w0\n[web]\nw1\n[all:vars]\na=1\nb=1\n[ungrouped:vars]\nb=2\n[web:vars]\nb=3\n',
  ),
  'ini: a host in all only': ini('[all]\nw1\n[web]\nw2\n'),
  'ini: a host in ungrouped and in a group': ini('w1\nw2\n[web]\nw1\n'),
  'ini: depth decides': ini(
    '[a]\nh\n[b:children]\na\n[c:children]\nb\n[a:vars]\nx=a\n[b:vars]\nx=b\ny=b\n[c:vars]\nx=c\ny=c\nz=c\n',
  ),
  'ini: names decide at one depth': ini(
    '[b]\nh\n[a]\nh\n[B]\nh\n[_c]\nh\n[a:vars]\nx=a\n[b:vars]\nx=b\n[B:vars]\nx=B\n[_c:vars]\nx=c\n',
  ),
  'ini: priority decides before names': ini(
    '[a]\nh\n[b]\nh\n[a:vars]\nx=a\nansible_group_priority=10\n[b:vars]\nx=b\n',
  ),
  'ini: a diamond': ini(
    '[leaf]\nh\n[l:children]\nleaf\n[r:children]\nleaf\n[top:children]\nl\nr\n[l:vars]\nx=l\n[r:vars]\nx=r\n[top:vars]\nx=t\n',
  ),
  'ini: a group that is child at two depths': ini(
    '[a:children]\nb\nc\n[b:children]\nc\n[c]\nh\n[b:vars]\nx=b\n[c:vars]\nx=c\n[d]\nh\n[d:vars]\nx=d\n',
  ),
  'ini: numeric ranges': ini('web[1:3]\ndb[01:03].x\napp[0:6:2]\n[:2]z\n'),
  'ini: letter ranges': ini('db-[a:c]\nx[A:C]\ny[y:B]\nz[a:g:3]\n'),
  'ini: several ranges in one name': ini('r[1:2]-n[a:b].x\nq[1:2][1:2]\n'),
  'ini: ports': ini(
    'h1:2222\nh2:22 ansible_port=23\n[::1]:2200\n[fe80::1]:22\n10.0.0.[1:2]:99\nh3[1:2]:5\nfe80::2\n::ffff:10.0.0.1\n',
  ),
  'ini: the port of the first mention counts': ini('h1:2222\n[web]\nh1:3333\n[db]\nh1 a=1\n'),
  'ini: a port after the first mention': ini('h1\n[web]\nh1:3333 b=1\n'),
  'ini: quotes': ini(`h a='x y' b="x y" c=x\\ y d='a'"b" e="it's" f='say "x"' g="\\"q\\"" h='' i=""\n`),
  'ini: backslashes': ini(`h a='C:\\\\new' b="C:\\new" c=a\\\\b d='\\d+'\n`),
  'ini: python values of hosts': ini(
    `h a=True b=False c=None d=1 e=1.5 f="[1, 'x', None]" g="{'k': [1, 2]}" h="(1, 2)" i=true j=none k=-1 l=+2 m=1_000\n`,
  ),
  'ini: python strings inside': ini(`h a="'5'" b='"5"' c="'x' 'y'" d="r'\\d'" e="u'x'" f="'\\\\n'" g="'''x'''"\n`),
  'ini: numbers that are none': ini(
    'h a=0755 b=1.2.3 c=10.0.0.1 d=5m e=00 f=0o17 g=0x1f h=0b11 i=1e3 j=.5 k=5. l=1__0 m=0_0 n=08 o=1-2 p=2024-01-01 q=1+1\n',
  ),
  'ini: values of sections': ini(
    `[w]\nh\n[w:vars]\na = 5 # five\nb=x # y\nc="x" # y\nd=a b c\ne= [1,2,\nf=[1,2]\ng={'a': 1}\nh='x' 'y'\ni=a=b\nj=\nk='unclosed\nl=1,2\nm=(1)\nn={1}\no=#x\n`,
  ),
  'ini: spaces around section values': ini('[w]\nh\n[w:vars]\n  a   =   x  y  \n\tb\t=\t"z"\t\n'),
  'ini: names with dots, dashes and underscores': ini('a_b\na-b.c_d\n_x\nx_\n1a\n1.2.3.4\n[g-1.x]\na-b.c_d\n'),
  'ini: names in other letters': ini('bücher1 a=ü\nхост b="日本"\n[grüße]\nbücher1\n'),
  'ini: section with a comment': ini('[web] # x\nh1\n[db]   \nh2\n'),
  'ini: a child with a comment': ini('[a:children]\nb # x\n[b]\nh\n'),
  'ini: nothing but comments inside sections': ini('[a]\n# x\n[b:children]\n; y\n[c:vars]\n[c]\nh\n'),
  'ini: windows line ends': ini('[web]\r\nw1 a=1\r\n[web:vars]\r\nb=x y\r\n'),
  'ini: equals signs in values': ini('h a=b=c d="x=y" e==\n'),
  'ini: dict values replace one another': ini(`h a="{'x': 1}"\n[w]\nh a="{'y': 2}"\n[w:vars]\na={'z': 3}\n`),
  'yaml: nested children': yaml(
    'all:\n  hosts:\n    h0:\n  children:\n    a:\n      children:\n        b:\n          hosts:\n            h1: {x: 1}\n      vars: {y: 1}\n  vars: {z: 1, y: 0}\n',
  ),
  'yaml: groups at the top': yaml('web:\n  hosts: {w1: , w2: }\ndb:\n  hosts: {d1: }\n  vars: {a: 1}\n'),
  'yaml: text instead of maps': yaml('all:\n  hosts: h1\n  children:\n    a:\n      hosts: h2\n'),
  'yaml: booleans of 1.1': yaml(
    'all:\n  hosts:\n    h: {a: yes, b: No, c: on, d: OFF, e: y, f: n, g: true, h: "yes", i: TRUE, j: yEs, k: Y}\n',
  ),
  'yaml: integers of 1.1': yaml(
    'all:\n  hosts:\n    h: {a: 0755, b: 0o755, c: 0x1F, d: 0b101, e: 1_000, f: 08, g: 1:30, h: 1:30:00, i: -0755, j: +5, k: 190:20:30, l: 00, m: 1:60}\n',
  ),
  'yaml: floats of 1.1': yaml(
    'all:\n  hosts:\n    h: {a: 1.5, b: 1e3, c: 1.0e+3, d: .5, e: 5., f: 1.5e3, g: 1_0.5, h: 1:30.5, i: -.5, j: 1.e+2}\n',
  ),
  'yaml: nulls and empty values': yaml(
    'all:\n  hosts:\n    h: {a: ~, b: null, c: , d: Null, e: "", f: NULL, g: nUll}\n',
  ),
  'yaml: dates': yaml('all:\n  hosts:\n    h: {a: 2020-01-01, b: "2020-01-01", c: 2020-1-1}\n'),
  'yaml: odd plain scalars': yaml(
    'all:\n  hosts:\n    h: {a: 1.2.3, b: 10.0.0.1, d: +, e: ., f: a:b, g: "=", h: -x, i: .x, j: 0x, k: 1e, l: 12:3a}\n',
  ),
  'yaml: tags': yaml(
    'all:\n  hosts:\n    h: {a: !!str 5, b: !!int "5", c: !!float 5, d: !!bool yes, e: ! 5, f: !unsafe "{{ x }}", g: !unsafe [a, "{% b"]}\n',
  ),
  'yaml: block text': yaml(
    'all:\n  hosts:\n    h:\n      a: |\n        x\n        y\n      b: >-\n        x\n        y\n      c: |+\n        x\n\n      d: "x\\n\\ty"\n',
  ),
  'yaml: anchors and merge keys': yaml(
    'all:\n  vars:\n    base: &b {x: 1, y: 1}\n    other: &o {y: 2, z: 2}\n    m1: {<<: *b, y: 9}\n    m2: {<<: [*b, *o], w: 1}\n    m3: {y: 9, <<: *b}\n    l: &l [1, 2]\n    k: *l\n  hosts: {h: }\n',
  ),
  'yaml: the last of two keys counts': yaml('all:\n  hosts:\n    h: {a: 1}\n    g: {a: 1, a: 2}\n'),
  'yaml: keys that are no text': yaml('all:\n  hosts:\n    h: {2: a, yes: b, 1.5: c, ~: d, 0x10: e}\n'),
  'yaml: ranges and ports': yaml(
    'all:\n  hosts:\n    web[01:03]:2222: {a: 1}\n    db-[a:b]: {b: 1}\n    "[::1]:22": {}\n',
  ),
  'yaml: a host in two groups': yaml(
    'a:\n  hosts: {h: {x: 1, y: 1}}\nb:\n  hosts: {h: {x: 2}}\n  vars: {y: 0, z: 0}\n',
  ),
  'yaml: a group in two parents': yaml(
    'a:\n  children: {c: {hosts: {h: }}}\n  vars: {x: a}\nb:\n  children: {c: }\n  vars: {x: b}\n',
  ),
  'yaml: priority': yaml(
    'a:\n  hosts: {h: }\n  vars: {x: a, ansible_group_priority: 5}\nb:\n  hosts: {h: }\n  vars: {x: b}\n',
  ),
  'yaml: unknown keys are passed over': yaml('all:\n  hosts: {h: }\n  host: {g: }\n  extra: 5\n  vars: {a: 1}\n'),
  'yaml: document start and comments': yaml('---\n# x\nall: # y\n  hosts:\n    h: # z\n      a: "#" # w\n...\n'),
  'yaml: without an extension': { files: { hosts: 'all:\n  hosts:\n    h1: {a: no}\n' } },
  'yaml: JSON in the shape of YAML': {
    files: {
      'hosts.json': '{"all": {"hosts": {"h": {"a": "no", "b": 1e3}}, "children": {"w": {"hosts": {"x": null}}}}}',
    },
  },
  'program: lists, maps and meta': program({
    web: ['w1', 'w2'],
    db: { hosts: ['d1'], vars: { a: 1 }, children: ['old'] },
    old: { hosts: ['o1'] },
    _meta: { hostvars: { w1: { x: [1, { y: null }] }, o1: {}, ghost: { z: 1 } } },
  }),
  'program: all and children': program({
    all: { children: ['web', 'ungrouped'], vars: { v: true } },
    web: { hosts: ['w1'], vars: { ansible_group_priority: 3, p: 1 } },
    ungrouped: { hosts: ['u1'] },
    _meta: { hostvars: {} },
  }),
  'program: one host with variables': program({ solo: { ansible_host: '10.0.0.1', a: 'b' }, _meta: { hostvars: {} } }),
  'program: asked for each host': program({ web: ['w1', 'w2'] }, `echo "{\\"me\\": \\"$2\\"}"`),
  'group_vars: files of all forms': {
    files: {
      hosts: '[web]\nw1\n[db]\nd1\n[app]\na1\n[old]\no1\n',
      'group_vars/all.yml': 'a: all\nb: all\n',
      'group_vars/web': 'b: web\nc: no\n',
      'group_vars/db.yaml': 'b: db\n',
      'group_vars/app.json': '{"b": "app"}',
      'group_vars/old/main.yml': 'b: old1\nd: 1\n',
      'group_vars/old/zz': 'b: old2\n',
      'group_vars/old/.hidden.yml': 'b: hidden\n',
      'group_vars/old/backup.yml~': 'b: backup\n',
      'group_vars/old/skip.txt': 'b: txt\n',
      'group_vars/old/sub/x.yml': 'e: sub\nb: sub\n',
      'group_vars/ghost.yml': 'b: ghost\n',
    },
  },
  'group_vars: no extension before .yml': {
    files: {
      hosts: '[w]\nh\n',
      'group_vars/w': 'a: plain\n',
      'group_vars/w.yml': 'a: yml\n',
      'group_vars/w.json': '{"a": "json"}',
    },
  },
  'group_vars: files outrank the inventory': {
    files: {
      hosts: '[w]\nh\n[w:vars]\na=inv\nb=inv\n[all:vars]\nc=inv\n',
      'group_vars/all': 'a: all\nb: all\nc: all\n',
      'group_vars/w': 'b: w\n',
    },
  },
  'group_vars: parents and children': {
    files: { hosts: '[w]\nh\n[p:children]\nw\n', 'group_vars/p': 'a: p\nb: p\n', 'group_vars/w': 'a: w\n' },
  },
  'host_vars: files of all forms': {
    files: {
      hosts: 'h1 a=inv\nh2\nh3.example.com\n[w]\nh4\n',
      'host_vars/h1': 'a: file\nb: 0755\n',
      'host_vars/h2.yml': 'a: file\n',
      'host_vars/h3.example.com': 'a: dots\n',
      'host_vars/h4/a.yml': 'x: 1\n',
      'host_vars/h4/b.json': '{"y": "2"}',
      'group_vars/w': 'x: group\ny: group\nz: group\n',
    },
  },
  'host_vars: an empty file': {
    files: { hosts: 'h a=1\n', 'host_vars/h.yml': '# nothing\n', 'group_vars/all': '---\n' },
  },
  'folder: all files in it': {
    files: {
      '01-hosts': '[web]\nw1 a=1\n',
      '02-more.yml': 'web:\n  hosts: {w2: }\n  vars: {v: 2}\nall:\n  vars: {top: 1}\n',
      '03-last': '[db:children]\nweb\n[web:vars]\nv=3\n',
      'ignored.ini': '[web]\nx1\n',
      'notes.md': '# x\n',
      '.hidden': 'x2\n',
      'group_vars/web.yml': 'g: 1\n',
      'host_vars/w1': 'hv: 1\n',
    },
    sources: ['.'],
  },
  'sources: two files, the later one counts': {
    files: {
      'a/hosts': '[web]\nw1 x=1 y=1\n[web:vars]\ng=a\n',
      'b/hosts': '[web]\nw1 x=2\nw2\n[web:vars]\ng=b\n',
      'a/group_vars/web': 'f: a\n',
      'b/group_vars/web': 'f: b\n',
      'a/group_vars/all': 'f: all-a\nk: all-a\n',
      'b/group_vars/all': 'k: all-b\n',
    },
    sources: ['a/hosts', 'b/hosts'],
  },
  'sources: a later parent outranks an earlier child': {
    files: {
      'a/hosts': '[w]\nh\n[p:children]\nw\n',
      'b/hosts': 'h\n',
      'a/group_vars/w': 'x: a-w\n',
      'b/group_vars/p': 'x: b-p\n',
    },
    sources: ['a/hosts', 'b/hosts'],
  },
  'sources: a list of hosts': { files: { hosts: '[web]\nw1\n' }, sources: ['hosts', 'w9,10.0.0.1:22,'] },
};
