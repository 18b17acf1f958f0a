import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblem, formatProblems, UserError } from '../errors.js';
import { parse } from './parse.js';

const yaml = (text: string) => parse(Buffer.from(text), 'file.yaml');
const json = (text: string) => parse(Buffer.from(text), 'file.json');

describe('places', () => {
  it('finds values and keys, through aliases, and falls back to the parent', async () => {
    const file = await yaml('a: &x { b: [1, two] }\nc: *x\nd:\n');

    expect(file.place(['a', 'b', 1])).toMatchObject({ line: 1, column: 16, length: 3 });
    expect(file.place(['a', 'b'], 'key')).toMatchObject({ line: 1, column: 9, length: 1 });
    expect(file.place(['c', 'b', 0])).toMatchObject({ line: 1, column: 13 });
    expect(file.place(['c', 'missing'])).toMatchObject({ line: 2, column: 1 });
    expect(file.place(['d', 'missing', 3])).toMatchObject({ line: 3, column: 1 });
  });

  it('is the same for JSON', async () => {
    const file = await json('{\n  "a": { "b": [1, "two"] }\n}\n');

    expect(file.place(['a', 'b', 1])).toMatchObject({ line: 2, column: 19, length: 5 });
    expect(file.place(['a', 'b'], 'key')).toMatchObject({ line: 2, column: 10, length: 3 });
    expect(file.place(['a', 'missing'])).toMatchObject({ line: 2, column: 3 });
  });

  it('tells how a scalar was written', async () => {
    const file = await yaml('a: 1.10\nb: "1.10"\nc: 0644\n');

    expect(['a', 'b', 'c'].map((key) => file.written([key]))).toEqual(['1.10', undefined, '0644']);
  });

  it('shows a window of a very long line', async () => {
    const file = await json(`{"a": "${'x'.repeat(100_000)}", "b": 1}`);
    const problem = { code: 'E_TYPE', what: 'is wrong', place: file.place(['b']) } as const;

    const lines = formatProblem(problem).split('\n');

    expect(lines[1]?.length).toBeLessThan(200);
    expect(lines[1]?.[lines[2]?.indexOf('^') ?? 0]).toBe('1');
  });
});

describe('values', () => {
  it('reads YAML 1.2, where no is text and yes is text', async () => {
    expect((await yaml('{ a: no, b: yes, c: true, d: 0x1F, e: ~, f: 2026-01-02 }')).value).toEqual({
      ...{ a: 'no', b: 'yes', c: true, d: 31, e: null, f: '2026-01-02' },
    });
  });

  it('copies what an alias stands for', async () => {
    const { value } = await yaml('a: &x { n: 1 }\nb: *x\n');
    const { a, b } = value as { a: object; b: object };

    expect(b).toEqual(a);
    expect(b).not.toBe(a);
  });

  it('reads CRLF, a byte order mark and block text as the clean file', async () => {
    const clean = 'a: |\n  one\n  two\nb: "x\n  y"\n';

    expect((await yaml(`\ufeff${clean.replaceAll('\n', '\r\n')}`)).value).toEqual((await yaml(clean)).value);
  });

  it('reads JSON as JSON.parse does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ depthSize: 'medium' }), fc.constantFrom(0, 1, 2), async (text, indent) => {
        const value = JSON.parse(text);
        const written = JSON.stringify(value, null, indent);
        const tree = await json(written).catch(onlyUserErrors);
        if (tree && tree.problems.length === 0) expect(tree.value).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses what JSON.parse refuses', async () => {
    const mangled = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', '[', '0', '\\', 'x'))
      .map(
        ([text, at, insert]) =>
          `${text.slice(0, at % (text.length + 1))}${insert}${text.slice((at % (text.length + 1)) + 1)}`,
      );
    await fc.assert(
      fc.asyncProperty(mangled, async (text) => {
        const accepted = (await json(text).catch(onlyUserErrors)) !== undefined;
        if (accepted) JSON.parse(text.replaceAll('\r\n', '\n'));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('any input', () => {
  const fragments = fc.constantFrom(
    ...[
      'a',
      ': ',
      '- ',
      '\n',
      '\n  ',
      '\t',
      '{',
      '}',
      '[',
      ']',
      ', ',
      '"',
      "'",
      '&a ',
      '*a',
      '!t ',
      '|',
      '>',
      '#',
      '? ',
      '%YAML 1.1\n',
      '---\n',
      '...\n',
      '<<',
      '__proto__',
      '1e999',
      '0x',
      '~',
      '\u00a0',
      '\r',
      '\u0000',
      '\ud83d',
      '${{',
      '{{ x }}',
      ': |\n  x\n',
    ],
  );
  const soup = fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join(''));
  const settings = { numRuns: 5_000 };

  it('gives a tree or a UserError with places inside the file', async () => {
    await fc.assert(
      fc.asyncProperty(soup, async (text) => {
        const problems = await parse(Buffer.from(text), 'soup.yaml').then(
          (file) => file.problems,
          (error) => {
            onlyUserErrors(error);
            return (error as UserError).problems;
          },
        );
        const lines = text.split('\n').length;
        for (const { place } of problems) {
          if (place?.line !== undefined) expect(place.line).toBeLessThanOrEqual(lines);
          expect(formatProblem({ code: 'E_TYPE', what: 'x', ...(place && { place }) })).not.toMatch(
            /\p{Cc}(?<![\n\t])/u,
          );
        }
      }),
      settings,
    );
  });

  it('gives a tree or a UserError for bytes', async () => {
    const names = fc.constantFrom('bytes.yaml', 'bytes.json');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), names, async (bytes, name) => {
        await parse(Buffer.from(bytes), name).catch(onlyUserErrors);
      }),
      settings,
    );
  });

  it('gives a tree or a UserError for JSON in pieces', async () => {
    await fc.assert(
      fc.asyncProperty(soup, async (text) => {
        await json(text).catch(onlyUserErrors);
      }),
      settings,
    );
  });
});

function onlyUserErrors(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}

describe('large files', () => {
  it('reads a map of 50,000 keys', async () => {
    const hosts = Array.from({ length: 50_000 }, (_, index) => `  host${index}: {}\n`).join('');

    const started = process.hrtime.bigint();
    const { value, problems } = await yaml(`hosts:\n${hosts}`);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;

    expect(problems).toEqual([]);
    expect(Object.keys((value as { hosts: object }).hosts)).toHaveLength(50_000);
    // 1.2 s on a slow machine; a comparison of every key with every other one takes a minute.
    expect(seconds).toBeLessThan(30);
  });

  it('finds the one equal key among 50,000', async () => {
    const hosts = Array.from({ length: 50_000 }, (_, index) => `host${index % 49_999}: {}\n`).join('');

    const { problems } = await yaml(hosts);

    expect(problems.map(({ code, place }) => [code, place?.line])).toEqual([['E_YAML_DUPKEY', 50_000]]);
  });
});

it('tells a hundred problems and how many more there are', async () => {
  const { problems } = await yaml(Array.from({ length: 150 }, (_, index) => `${index}: x\n`).join(''));

  const lines = formatProblems(problems).split('\n');

  expect(problems).toHaveLength(150);
  expect(lines.filter((line) => line.startsWith('opsctl: E_'))).toHaveLength(100);
  expect(lines.at(-1)).toBe('opsctl: and 50 more problems');
});
