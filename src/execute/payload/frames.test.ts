import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from './frames.js';

const nonce = 'a1b2c3d4e5f6a7b8c9d0e1f2';
const limit = 1024;

interface Said {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly status: number;
  readonly how: 'done' | 'timeout';
}

/** The two streams of a round, as the prelude prints them. */
function streamsOf(probes: readonly Said[], noise: Buffer = Buffer.alloc(0)) {
  const stream = (name: 'stdout' | 'stderr') =>
    Buffer.concat([
      noise,
      Buffer.from(`\n${nonce} b 0\n`),
      ...probes.flatMap((probe, index) => [
        probe[name],
        Buffer.from(`\n${nonce} e ${index} ${probe.how} ${probe.status}\n`),
      ]),
      Buffer.from(`\n${nonce} z\n`),
    ]);
  return { stdout: stream('stdout'), stderr: stream('stderr') };
}

type Cut = { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer };

function read(count: number, chunks: readonly Cut[], end = true) {
  const events: string[] = [];
  const reader: FrameReader = new FrameReader(nonce, count, limit, {
    onBegin: (index) => events.push(`begin ${index}`),
    onEnd: (index) => events.push(`end ${index}`),
    onFinish: () => events.push('finish'),
  });
  for (const { stream, bytes } of chunks) stream === 'stdout' ? reader.onStdout(bytes) : reader.onStderr(bytes);
  if (end) reader.end();
  return { reader, events };
}

/** Cuts two streams at random and mixes the pieces, each stream in its order. */
function mixed(
  streams: { stdout: Buffer; stderr: Buffer },
  sizes: readonly number[],
  turns: readonly boolean[],
): Cut[] {
  const left = { stdout: streams.stdout, stderr: streams.stderr };
  const cuts: Cut[] = [];
  for (let step = 0; left.stdout.length > 0 || left.stderr.length > 0; step += 1) {
    const wanted = (turns[step % turns.length] ?? true) ? 'stdout' : 'stderr';
    const stream = left[wanted].length > 0 ? wanted : wanted === 'stdout' ? 'stderr' : 'stdout';
    const size = sizes[step % sizes.length] ?? 1;
    cuts.push({ stream, bytes: left[stream].subarray(0, size) });
    left[stream] = left[stream].subarray(size);
  }
  return cuts;
}

const nasty = fc.constantFrom(
  '\n',
  `\n${nonce}`,
  `\n${nonce.slice(0, 12)}`,
  `\n${nonce.slice(0, -1)}3 e 0 done 0\n`,
  `\n${nonce}  e 0 done 0\n`,
  `\n${nonce.toUpperCase()} e 0 done 0\n`,
  '\n\n\n',
  '\0',
  'no newline',
);
const output = fc
  .array(
    fc.oneof(
      nasty.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 30 }).map(Buffer.from),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => Buffer.concat(parts));
const probe: fc.Arbitrary<Said> = fc.record({
  stdout: output,
  stderr: output,
  status: fc.integer({ min: 0, max: 255 }),
  how: fc.constantFrom('done' as const, 'timeout' as const),
});
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
const turns = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });

describe('frames', () => {
  it('give every probe its own bytes, however the streams are cut and mixed', () => {
    fc.assert(
      fc.property(
        fc.array(probe, { minLength: 1, maxLength: 6 }),
        output,
        sizes,
        turns,
        (probes, noise, cuts, order) => {
          const { reader, events } = read(probes.length, mixed(streamsOf(probes, noise), cuts, order));

          expect(reader.finished).toBe(true);
          for (const [index, said] of probes.entries()) {
            const found = reader.probes[index];
            expect(found?.stdout.head.equals(said.stdout.subarray(0, limit))).toBe(true);
            expect(found?.stderr.head.equals(said.stderr.subarray(0, limit))).toBe(true);
            expect(found).toMatchObject({ complete: true, exitStatus: said.status, ended: said.how });
          }
          expect(reader.noise.stdout.head.equals(noise)).toBe(true);
          expect(events.filter((event) => event.startsWith('end'))).toEqual(probes.map((_, index) => `end ${index}`));
          expect(events.filter((event) => event.startsWith('begin'))).toEqual(
            probes.map((_, index) => `begin ${index}`),
          );
          expect(events.at(-1)).toBe('finish');
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('never make a probe complete whose end did not come, wherever the streams break off', () => {
    const probes: Said[] = [
      { stdout: Buffer.from(`\n${nonce} x\nout`), stderr: Buffer.from('err\n'), status: 0, how: 'done' },
      { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), status: 7, how: 'timeout' },
      { stdout: Buffer.from('last'), stderr: Buffer.from('\n'), status: 137, how: 'done' },
    ];
    const whole = streamsOf(probes, Buffer.from('Welcome!\n'));
    const endOf = (stream: Buffer, index: number) =>
      stream.indexOf(`\n${nonce} e ${index} `) +
      `\n${nonce} e ${index} ${probes[index]?.how} ${probes[index]?.status}\n`.length;
    let cases = 0;
    for (let out = 0; out <= whole.stdout.length; out += 1) {
      for (const err of [0, Math.floor(out / 2), out, whole.stderr.length]) {
        const { reader } = read(3, [
          { stream: 'stdout', bytes: whole.stdout.subarray(0, out) },
          { stream: 'stderr', bytes: whole.stderr.subarray(0, err) },
        ]);
        for (const [index, found] of reader.probes.entries()) {
          const reached = out >= endOf(whole.stdout, index) && err >= endOf(whole.stderr, index);
          expect(found.complete).toBe(reached);
          expect(found.exitStatus).toBe(out >= endOf(whole.stdout, index) ? probes[index]?.status : undefined);
        }
        expect(reader.finished).toBe(out === whole.stdout.length && err >= whole.stderr.length);
        cases += 1;
      }
    }
    expect(cases).toBeGreaterThan(800);
  });

  it('are only those of our own nonce, whole and on a line of their own', () => {
    const lies = [
      `${nonce} e 0 done 0\n`,
      `\n${'0'.repeat(24)} b 0\n\n${'0'.repeat(24)} e 0 done 0\n`,
      `\n${nonce} e 0 ok 0\n`,
      `\n${nonce} e 0 done -1\n`,
      `\n${nonce} e 0 done 0 \n`,
      `\n${nonce} e 0 done 0\r\n`,
      `\n${nonce} e 9999999 done 0\n`,
      `\n${nonce} b 1\n`,
      `\n${nonce} e 0 done 0${'x'.repeat(100)}`,
    ];
    for (const lie of lies) {
      const { reader } = read(1, [
        { stream: 'stdout', bytes: Buffer.from(lie) },
        { stream: 'stderr', bytes: Buffer.from(lie) },
      ]);
      expect(reader.probes[0]).toMatchObject({ complete: false });
      expect(reader.probes[0]).not.toHaveProperty('exitStatus');
      expect(reader.finished).toBe(false);
    }
  });

  it('hold back no more than a piece of a frame', () => {
    const { reader } = read(
      1,
      [{ stream: 'stdout', bytes: Buffer.from(`\n${nonce} b 0\nsome output\nand a prompt> `) }],
      false,
    );

    expect(reader.probes[0]?.stdout.head.toString()).toBe('some output\nand a prompt> ');
  });

  it('count all, and keep the head and the tail of a long stream', () => {
    const long = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index & 0x7f));
    const { reader } = read(
      1,
      mixed(streamsOf([{ stdout: long, stderr: Buffer.alloc(0), status: 0, how: 'done' }]), [777, 3], [true]),
    );

    const { stdout } = reader.probes[0] as (typeof reader.probes)[number];
    expect(stdout.bytes).toBe(20_000);
    expect(stdout.truncated).toBe(true);
    expect(stdout.head.equals(long.subarray(0, limit))).toBe(true);
    expect(stdout.tail.equals(long.subarray(-2_048))).toBe(true);
    expect(reader.probes[0]?.complete).toBe(true);
  });
});
