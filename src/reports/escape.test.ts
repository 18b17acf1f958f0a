import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeMarkdown,
  escapeCommandProperty,
  escapeLine,
  escapeMarkdown,
  escapePlugin,
  escapeText,
  escapeXml,
  fenceMarkdown,
  guardLog,
  printJson,
} from './escape.js';

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });

describe('escapeText', () => {
  it.each([
    ['\u001b]52;c;cHduZWQ=\u0007', '\\x1b]52;c;cHduZWQ=\\x07'],
    ['\u001b[2J', '\\x1b[2J'],
    ['\u009b31m', '\\x9b31m'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['a\u200bb\u200d\ufeff', 'a\\u{200b}b\\u{200d}\\u{feff}'],
    ['100%\rdone', '100%\\x0ddone'],
    ['x\bX\u000e', 'x\\x08X\\x0e'],
    ['\ud800', '\\u{d800}'],
    ['\u3164', '\\u{3164}'],
    ['\u2028', '\\u{2028}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\0', '\\x00'],
  ])('shows %j as %j', (raw, shown) => {
    expect(escapeText(raw)).toBe(shown);
  });

  it('keeps what people write', () => {
    const text = 'Größe 5 µs, 日本語, naïve e\u0301, 🐳 ✓\n\ttab';

    expect(escapeText(text)).toBe(text);
  });

  it('lets nothing through but printable characters, line ends and tabs, and is stable', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = escapeText(text);

        expect(shown).toMatch(/^[\n\t\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u);
        expect(shown).not.toMatch(/\p{Default_Ignorable_Code_Point}/u);
        expect(escapeText(shown)).toBe(shown);
        expect(escapeLine(text)).not.toMatch(/[\n\t]/);
      }),
      { numRuns: 5000 },
    );
  });

  it('takes a megabyte on one line without trouble', () => {
    const started = performance.now();

    escapeText('ä\u001b'.repeat(500_000));

    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe('escapeXml', () => {
  it('makes text that is XML and holds no end of a section', () => {
    expect(escapeXml('<b>&"\']]>\u0000\u001b\ufffe')).toBe('&lt;b&gt;&amp;&quot;&apos;]]&gt;\\x00\\x1b\\u{fffe}');
  });
});

describe('escapeMarkdown', () => {
  it.each([
    ['a | b', 'a \\| b'],
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['[x](https://evil)', '\\[x\\](https&#58;//evil)'],
    ['@org/team #12 #a', '@&#8203;org/team \\#&#8203;12 \\#a'],
    ['a@b.example GH-1 2>&1 !7 97%', 'a@&#8203;b.example GH-&#8203;1 2&gt;\\&1 \\!7 97%'],
    ['**bold** `code` ~~no~~', '\\*\\*bold\\*\\* \\`code\\` \\~\\~no\\~\\~'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['a\nb', 'a\\\\x0ab'],
    ['www.evil.example', 'www&#46;evil.example'],
    ['8 of 9: up 3 days, 41% full', '8 of 9: up 3 days, 41% full'],
  ])('makes %j %j', (raw, shown) => {
    expect(escapeMarkdown(raw)).toBe(shown);
  });

  it('fences text with more backticks than it holds', () => {
    expect(fenceMarkdown('a\n````\nb')).toBe('`````text\na\n````\nb\n`````');
    expect(codeMarkdown('a``b')).toBe('```a``b```');
    expect(codeMarkdown('`')).toBe('`` ` ``');
  });
});

describe('guardLog', () => {
  it.each([
    ['::error::x', ':\\x3aerror::x'],
    ['  \t::error::x', '  \t:\\x3aerror::x'],
    ['\u00a0::set-output name=x::y', '\u00a0:\\x3aset-output name=x::y'],
    ['\u001b[31m::error::x', '\u001b[31m:\\x3aerror::x'],
    ['ok ##[add-mask]a', 'ok #\\x23[add-mask]a'],
    ['##vso[task.setvariable]a', '#\\x23vso[task.setvariable]a'],
    ['##TeamCity[buildStatus]', '#\\x23TeamCity[buildStatus]'],
    ['std::string ## heading', 'std::string ## heading'],
  ])('makes %j %j', (raw, shown) => {
    expect(guardLog(raw)).toBe(shown);
  });
});

describe('printJson', () => {
  it('gives back every string it was given', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const printed = printJson({ text });

        expect((JSON.parse(printed) as { text: string }).text).toBe(text);
        expect(printed).toBe(escapeText(printed));
        expect(printed).not.toContain('##[');
      }),
    );
  });
});

describe('escapePlugin and escapeCommandProperty', () => {
  it('leave no sign with a meaning', () => {
    expect(escapePlugin('a|b\nc')).toBe('a\\x7cb\\x0ac');
    expect(escapeCommandProperty('a:b,c%d\ne')).toBe('a%3Ab%2Cc%25d\\x0ae');
  });
});
