import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shells } from '../../../test/support/probe.js';
import { Secret } from '../../secrets/secret.js';
import { buildPayload, callText, shellQuote } from './payload.js';

describe('a value in shell text', () => {
  const values = fc
    .sample(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc
          .array(
            fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '!', '*', '${x}', '$(id)', "'\\''", '-n', '\t', '\r'),
            {
              maxLength: 12,
            },
          )
          .map((parts) => parts.join('')),
      ),
      { numRuns: 800, seed: 42 },
    )
    .filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value);

  it.each(Object.entries(shells))('is the same word again in %s', (_, [program = 'sh', ...options]) => {
    expect(values.length).toBeGreaterThan(600);
    const script = values.map((value) => `printf '%s\\0' ${shellQuote(value)}`).join('\n');

    const said = execFileSync(program, options, { input: script, maxBuffer: 1 << 26 });

    expect(said.toString('utf8').split('\0').slice(0, -1)).toEqual(values);
  });

  it('cannot hold a NUL', () => {
    expect(() => shellQuote('a\0b')).toThrow('NUL');
  });

  it('is revealed only there when it is secret', () => {
    const secret = new Secret('env:TOKEN', "it's");

    expect(callText('probe_0', ['a b', secret])).toBe(`probe_0 'a b' 'it'\\''s'`);
    expect(String(secret)).not.toContain("it's");
  });
});

describe('a payload', () => {
  it('holds a script once, however often it is used', () => {
    const script = { name: 'probe.sh', text: 'echo "$1" # unmistakable\n' };
    const text = buildPayload('0123', [
      { script, args: ['a'], seconds: 5 },
      { script, args: ['b'], seconds: 6 },
    ]);

    expect(text.split('unmistakable')).toHaveLength(2);
    expect(text).toMatch(/^probe 0 5 probe_0 'a'\nprobe 1 6 probe_0 'b'$/m);
  });

  it('runs nothing when it is cut, at every byte', () => {
    const text = buildPayload('0123456789', [{ script: { name: 'x', text: 'echo worked' }, args: [], seconds: 5 }]);
    // What stands before the last line is assignments and functions: `exit` shows that nothing holds the shell up.
    const cuts = Array.from({ length: Math.floor(text.length / 5) }, (_, index) => text.slice(0, index * 5));
    const all = cuts.map((cut) => `dash 2>/dev/null <<'END_OF_CUT'\n${cut}\nEND_OF_CUT\n`).join('');

    const said = execFileSync('dash', {
      input: `${all}exit 0\n`,
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: '/usr/bin:/bin' },
    });

    expect(said).not.toContain('worked\n');
    expect(said).not.toContain('0123456789 ');
  });
});
