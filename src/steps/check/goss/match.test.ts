import { describe, expect, it } from 'vitest';
import { CannotMatch, CutText, matches, Undecided } from './match.js';
import { type Matcher, type MatcherProblem, readMatcher, readPatterns } from './matcher.js';

function read(expected: unknown, asReader = false): Matcher {
  const problems: MatcherProblem[] = [];
  const matcher = (asReader && Array.isArray(expected) ? readPatterns : readMatcher)(expected, [], (problem) =>
    problems.push(problem),
  );
  if (!matcher) throw new Error(JSON.stringify(problems));
  return matcher;
}

function problemOf(expected: unknown): string {
  const problems: MatcherProblem[] = [];
  readMatcher(expected, ['x'], (problem) => problems.push(problem));
  const [first] = problems;
  return `${first?.path.join('.')}${first?.part ? ' key' : ''}: ${first?.what}; ${first?.hint}`;
}

const reader = 'foo bar\n15\nmoo cow\n';
const json = '{"foo": "bar", "moo": {"nested": "cow"}, "count": "15", "list": [{"n": 1}, {"n": 2}]}';

/**
 * Content, what it should be, and the answer: examples of goss's documentation and of its own test files (goss-org/goss,
 * Apache-2.0).
 */
const documented: readonly (readonly [unknown, unknown, boolean])[] = [
  ['foo', 'foo', true],
  [42, 42, true],
  ['some string', { 'match-regexp': 'some str' }, true],
  [[2], { 'contain-element': 2 }, true],
  [{ foo: 'bar', baz: 'bing' }, { and: [{ 'have-key': 'baz' }] }, true],
  [{ foo: 'bar', baz: 'bing' }, { and: [{ 'have-key-with-value': { foo: 'bar' } }, { 'have-key': 'baz' }] }, true],
  [['group1', 'group2', 'group3'], ['group1', 'group2'], true],
  [['group1', 'group2', 'group3'], ['group1', 'group2', 'group2'], false],
  [
    42,
    {
      and: [
        '42',
        { 'have-prefix': '4' },
        { 'have-suffix': '2' },
        { 'match-regexp': '\\d{2}' },
        { 'contain-substring': '2' },
      ],
    },
    true,
  ],
  ['42', { and: [42, 42.0, { gt: 40 }, { lt: 45 }] }, true],
  [['foo', 'bar', 'moo'], { and: [{ 'contain-elements': ['foo', 'bar'] }, ['foo', 'bar']] }, true],
  [['foo', 'bar', 'moo'], { equal: ['foo', 'bar', 'moo'] }, true],
  [['foo', 'bar', 'moo'], { equal: ['bar', 'foo', 'moo'] }, false],
  [['foo', 'bar', 'moo'], { 'consist-of': ['foo', { 'have-prefix': 'm' }, 'bar'] }, true],
  [['foo', 'bar', 'moo'], { 'contain-element': { 'have-prefix': 'b' } }, true],
  [['1.0.1', '1.9.9'], { 'semver-constraint': '>1.0.0 <2.0.0 !=1.5.0' }, true],
  [['1.0.1', '1.5.0', '1.9.9'], { not: { 'semver-constraint': '>1.0.0 <2.0.0 !=1.5.0' } }, true],
  ['1.0.1', { 'semver-constraint': '>5.0.0 || < 1.5.0' }, true],
  ['128.3', { and: [128.3, { le: 129 }, { gt: 120.2 }] }, true],
  [['46', '45'], [{ and: [{ ge: 40 }, { le: 50 }] }, '46'], true],
  [reader, { and: [{ 'have-len': 19 }, reader, { 'have-prefix': 'foo' }, { 'have-suffix': 'cow\n' }] }, true],
  [reader, { 'contain-elements': [{ not: 'this_doesnt_exist' }, { lt: 20 }, { 'have-prefix': 'moo' }] }, true],
  [
    json,
    { gjson: { 'moo.nested': 'cow', foo: { 'have-prefix': 'b' }, count: { le: 25 }, '@this': { 'have-key': 'foo' } } },
    true,
  ],
  [json, { gjson: { moo: { and: [{ 'have-key': 'nested' }, { not: { 'have-key': 'nested2' } }] } } }, true],
  [json, { gjson: { 'list.#': 2, 'list.1.n': 2, 'list.#.n': { equal: [1, 2] } } }, true],
  ['{"foo": "bar", "baz": "bing"}', { gjson: { '@this': { equal: { foo: 'bar', baz: 'bing' } } } }, true],
];

const people =
  '{"people": [{"name": "Ann", "age": 30, "on": true}, {"name": "B.b)", "age": 41}, {"name": "Cy", "age": 41, "on": false}], "n": [3, 5]}';

/** Queries, as gjson's own documentation says what they find. */
const queries: readonly (readonly [path: string, found: unknown])[] = [
  ['people.#(name=="Ann").age', 30],
  ['people.#(age>40).name', 'B.b)'],
  ['people.#(age > 40)#.name', ['B.b)', 'Cy']],
  ['people.#(name!="Ann")#.age', [41, 41]],
  ['people.#(name="B.b)").age', 41],
  ['people.#(name==Cy).age', 41],
  ['people.#(on).name', 'Ann'],
  ['people.#(on==false).name', 'Cy'],
  ['people.#(on!=true)#.name', ['Cy']],
  ['people.#(name<"B")#.name', ['Ann']],
  ['people.#(age==1)#', []],
  ['n.#(>3)', 5],
  ['n.#(<=5)#', [3, 5]],
];

const more: readonly (readonly [unknown, unknown, boolean])[] = [
  [true, true, true],
  [true, 'true', true],
  ['true', true, false],
  ['0644', '0644', true],
  [' 7\n', 7, true],
  [7, { gt: 7 }, false],
  [7, { ge: 7 }, true],
  [['a', 'b'], { 'have-len': 2 }, true],
  [['a'], { 'consist-of': ['a', 'b'] }, false],
  [['ab', 'b'], [{ 'have-prefix': 'a' }, { 'have-suffix': 'b' }], true],
  // Each matcher needs an element of its own, whatever the order.
  [['ab', 'a'], [{ 'have-prefix': 'a' }, 'ab'], true],
  [['ab'], [{ 'have-prefix': 'a' }, 'ab'], false],
  [[], [], true],
  ['x', { or: ['y', 'x'] }, true],
  ['x', { not: { or: ['y', 'x'] } }, false],
  [['7', 'x'], { 'contain-element': { gt: 5 } }, true],
  ['1.0.0-rc.1', { 'semver-constraint': '<1.0.0 >=1.0.0-beta' }, true],
  [['4.1.0+build', '4.0.1'], { 'semver-constraint': '> 4.0.0' }, true],
  [['4.0.0-rc1'], { 'semver-constraint': '< 4.0.0' }, true],
  ['4.2.0', { 'semver-constraint': '> 1.0.0 < 2.0.0 || > 4.0.0' }, true],
  ['1.0.0-rc.2', { 'semver-constraint': '>1.0.0-rc.10' }, false],
];

const versions = (...list: readonly string[]) => list;

/**
 * What goss's own tests expect not to hold (testdata/, matchers/ and system/ of goss-org/goss, Apache-2.0), with values of
 * ours, and the same turned round.
 */
const failing: readonly (readonly [unknown, unknown])[] = [
  ['a line', 'another line'],
  ['cat', { 'have-prefix': 'd' }],
  ['cat', { 'have-suffix': 'd' }],
  ['cat', { 'contain-substring': 'd' }],
  ['cat', { 'match-regexp': '^at' }],
  ['cat', { 'have-len': 2 }],
  ['2.3.4', { 'semver-constraint': '>=9.0.0' }],
  [versions('4.0.0-rc1'), { 'semver-constraint': '>= 4.0.0' }],
  [7, 8],
  [7, { and: [7, '8'] }],
  ['7', { and: [8, 8.5] }],
  ['7.25', { or: [7, { gt: 7.25 }] }],
  [
    ['a', 'b', 'c'],
    ['a', 'b', 'b'],
  ],
  [
    ['a', 'b', 'c'],
    { or: [{ 'contain-elements': ['x'] }, ['x', 'a'], { equal: ['a', 'c', 'b'] }, { 'consist-of': ['a', 'b'] }] },
  ],
  [['a', 'b', 'c'], { 'consist-of': ['a', 'b', { 'have-prefix': 'x' }] }],
  [['40', '41'], [{ and: [{ ge: 42 }, { le: 50 }] }]],
  [reader, { 'have-patterns': ['foo', '!moo'] }],
  [reader, { 'contain-elements': ['15', { 'have-prefix': 'x' }] }],
  [json, { gjson: { 'moo.nested': 'dog' } }],
  [json, { gjson: { count: { gt: 15 } } }],
  [json, { gjson: { '@this': { 'have-key': 'nope' } } }],
  [json, { gjson: { list: { or: [{ 'contain-elements': [{ 'have-key': 'nope' }] }] } } }],
  [json, { gjson: { moo: { equal: { nested: 'dog' } } } }],
];

/** Lines, patterns, and the answer. */
const patterns: readonly (readonly [string, readonly string[], boolean])[] = [
  ['foo bar\nmoo cow\n', ['foo', '/^m.*w$/', '!wtf', '!/^ERROR:/'], true],
  ['foo\n', ['!foo'], false],
  ['foo\n', ['/^oo/'], false],
  ['ERROR: x\n', ['!/^ERROR:/'], false],
  ['say !hi\n', ['\\!hi'], true],
  ['a/b/\n', ['\\/b/'], true],
  ['', [''], true],
  ['', ['!x'], true],
  ['', ['x'], false],
  ['windows\r\nline\r\n', ['/windows$/'], true],
  ['one\ntwo\n', ['/one.two/'], false],
  ['see /srv now', ['/\\s/srv\\b/'], true],
  ['end\r', ['/end$/'], true],
  // Nothing has no lines, not an empty one.
  ['', ['/^$/'], false],
  ['', ['!/.*/', '!'], true],
  ['\n', ['/^$/'], true],
];

describe('matchers of goss', () => {
  it.each(documented)('%j should be %j: %s', (actual, expected, answer) => {
    expect(matches(read(expected), actual)).toBe(answer);
  });

  it.each(more)('%j should be %j: %s', (actual, expected, answer) => {
    expect(matches(read(expected), actual)).toBe(answer);
  });

  it.each(queries)('gjson finds at %s %j', (path, found) => {
    expect(matches(read({ gjson: { [path]: { equal: found } } }), people)).toBe(true);
  });

  it.each(['people.#(age==1)', 'people.#(none)', 'people.0.#(x)', 'n.#(name=="x")'])(
    'gjson finds nothing at %s',
    (path) => {
      expect(() => matches(read({ gjson: { [path]: 1 } }), people)).toThrow(`it has nothing at ${path}`);
    },
  );

  it.each(['a.#(', 'a.#()', 'a.#(b.#(c)).d', 'a.#(x==)', 'a.#(x=="y)', 'a.#(x~true)', 'a*', 'a|b', '@reverse'])(
    'gjson paths end before %s',
    (path) => expect(problemOf({ gjson: { [path]: 1 } })).toContain('is not supported'),
  );

  it.each(failing)('%j is not %j, and that can be asked for', (actual, expected) => {
    expect(matches(read(expected), actual)).toBe(false);
    expect(matches(read({ not: expected }), actual)).toBe(true);
  });

  it.each(patterns)('%j should have lines with %j: %s', (actual, expected, answer) => {
    expect(matches(read(expected, true), actual)).toBe(answer);
    expect(matches(read({ 'have-patterns': expected }), actual)).toBe(answer);
  });

  it.each([
    ['abc', { gt: 5 }, '"abc" is no number'],
    ['abc', { not: { gt: 5 } }, '"abc" is no number'],
    ['', 0, '"" is no number'],
    // Nothing shows that they do not have it.
    [['a', '5'], { not: { 'contain-element': { gt: 9 } } }, '"a" is no number'],
    [{ a: 1 }, { not: { 'have-key': { gt: 1 } } }, '"a" is no number'],
    [['4.4.019-1'], { 'semver-constraint': '> 4.0.0' }, '"4.4.019-1" is no semantic version'],
    ['1:2.3-4', { 'semver-constraint': '>1.0.0' }, '"1:2.3-4" is no semantic version'],
    [5, { 'have-len': 1 }, '5 has no length'],
    ['{', { gjson: { a: 1 } }, 'it is not valid JSON'],
    ['{}', { gjson: { 'a.b': 1 } }, 'it has nothing at a.b'],
    ['x', { 'have-key': 'x' }, '"x" is no mapping'],
  ])('%j cannot be asked for %j', (actual, expected, message) => {
    expect(() => matches(read(expected), actual)).toThrow(new CannotMatch(message));
  });

  it('decide by the start of a long text only what it decides', () => {
    const cut = new CutText('one\ntwo\nthr');

    expect(matches(read(['two'], true), cut)).toBe(true);
    expect(matches(read(['!two', 'nowhere'], true), cut)).toBe(false);
    for (const open of [['three'], ['!three'], ['thr'], ['one', '!four']])
      expect(() => matches(read(open, true), cut)).toThrow(Undecided);
    expect(() => matches(read({ 'have-prefix': 'one' }), cut)).toThrow(Undecided);
  });

  it.each([
    [{ 'have-prefx': 'a' }, 'x.have-prefx key: unknown matcher `have-prefx`; did you mean `have-prefix`?'],
    [
      { and: { gt: 1, lt: 2 } },
      'x.and: `and` takes a list of matchers; write every matcher as an item, such as `- gt: 50`',
    ],
    [{ gt: 1, lt: 2 }, 'x.lt key: `gt` and `lt` stand side by side; write `and:` with one matcher an item'],
    [{ gt: '5' }, 'x.gt: `gt` takes a number; write a number, without quotes'],
    [{ 'have-len': 'a' }, 'x.have-len: `have-len` takes a whole number; write a number, without quotes'],
    [{ 'match-regexp': 'a(' }, 'x.match-regexp: not a regular expression: missing closing ); patterns are RE2 syntax'],
    [
      { 'have-patterns': ['/a(/'] },
      'x.have-patterns.0: not a regular expression: missing closing ); patterns are RE2 syntax',
    ],
    [{ 'have-patterns': [1] }, 'x.have-patterns.0: a pattern is text; put it in quotes, or write `and:` with matchers'],
    [
      { 'have-prefix': 5 },
      'x.have-prefix: `have-prefix` takes text; write text, in quotes where YAML reads something else',
    ],
    [
      { 'semver-constraint': '1.x' },
      'x.semver-constraint: "1.x" is no range of versions; write a range such as ">=1.2.0 <2.0.0 || >3.0.0"',
    ],
    [
      { gjson: { 'a.#(x%"1*")': 1 } },
      'x.gjson.a.#(x%"1*") key: the path "a.#(x%"1*")" is not supported; write a path of keys and indexes such as `items.0.name`',
    ],
    [{ not: null }, 'x.not: a value or a matcher is missing; write what it should be, or remove the key'],
    [{}, 'x: a matcher is missing; write one such as `have-prefix: x`'],
  ])('%j is refused', (expected, message) => {
    expect(problemOf(expected)).toBe(message);
  });
});
