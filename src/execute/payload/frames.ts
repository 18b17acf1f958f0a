/** What the frames of one probe say so far. */
export interface ProbeFrames {
  readonly stdout: Capture;
  readonly stderr: Capture;
  began: boolean;
  /** Exit status; 128 and a signal's number when it was killed. */
  exitStatus?: number;
  ended?: 'done' | 'timeout';
  /** Both streams have passed the probe's end: nothing more can come. */
  complete: boolean;
}

const empty = Buffer.alloc(0);

/** Bytes of one stream of one probe: the head is kept, the rest is counted and its tail remembered. */
export class Capture {
  readonly limit: number;
  bytes = 0;
  #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer = empty;
  /** Takes every byte as it comes, for artefacts. */
  sink?: (chunk: Buffer) => void;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.bytes += chunk.length;
    this.sink?.(chunk);
    const room = this.limit - this.#headBytes;
    if (room > 0) {
      const kept = chunk.subarray(0, room);
      // A copy: the chunk may be a slice of a large network buffer.
      this.#head.push(Buffer.from(kept));
      this.#headBytes += kept.length;
    }
    if (chunk.length > room) {
      const rest = chunk.subarray(Math.max(room, chunk.length - tailBytes));
      this.#tail = Buffer.concat([this.#tail, rest]).subarray(-tailBytes);
    }
  }

  get truncated(): boolean {
    return this.bytes > this.#headBytes;
  }

  get head(): Buffer {
    if (this.#head.length > 1) this.#head = [Buffer.concat(this.#head)];
    return this.#head[0] ?? empty;
  }

  get tail(): Buffer {
    return this.#tail;
  }
}

const tailBytes = 2_048;

export interface FrameListener {
  onBegin?(index: number): void;
  onEnd?(index: number): void;
  /** The end of the round has been seen on both streams. */
  onFinish?(): void;
}

/**
 * Splits the two streams of a round into probes. Only text between the frames of the fresh nonce counts:
 * what a login shell printed before goes to `noise`. A probe is complete when its end frame came on both streams.
 */
export class FrameReader {
  readonly probes: readonly ProbeFrames[];
  readonly noise: { readonly stdout: Capture; readonly stderr: Capture };
  finished = false;
  /** The shell is at work: what the streams held before was noise. */
  began = false;
  readonly #out: StreamSplitter;
  readonly #err: StreamSplitter;
  readonly #listener: FrameListener;
  #streamsFinished = 0;

  constructor(nonce: string, count: number, limit: number, listener: FrameListener = {}) {
    this.probes = Array.from({ length: count }, () => ({
      stdout: new Capture(limit),
      stderr: new Capture(limit),
      began: false,
      complete: false,
    }));
    this.noise = { stdout: new Capture(4_096), stderr: new Capture(4_096) };
    this.#listener = listener;
    const ends = new Map<number, number>();
    const handle = (stream: 'stdout' | 'stderr') => (frame: Frame) => this.#onFrame(stream, frame, ends);
    this.#out = new StreamSplitter(nonce, this.noise.stdout, (index) => this.probes[index]?.stdout, handle('stdout'));
    this.#err = new StreamSplitter(nonce, this.noise.stderr, (index) => this.probes[index]?.stderr, handle('stderr'));
  }

  onStdout(chunk: Buffer): void {
    this.#out.push(chunk);
  }

  onStderr(chunk: Buffer): void {
    this.#err.push(chunk);
  }

  /** The streams are over: what was held back belongs to the probe that was open. */
  end(): void {
    this.#out.end();
    this.#err.end();
  }

  #onFrame(stream: 'stdout' | 'stderr', frame: Frame, ends: Map<number, number>): void {
    if (frame.type === 'finish') {
      this.#streamsFinished += 1;
      if (this.#streamsFinished === 2) {
        this.finished = true;
        this.#listener.onFinish?.();
      }
      return;
    }
    if (frame.type === 'begin') {
      if (stream === 'stdout') this.#begin(0);
      return;
    }
    const probe = this.probes[frame.index];
    if (!probe) return;
    if (stream === 'stdout') {
      probe.ended = frame.how;
      probe.exitStatus = frame.status;
    }
    const seen = (ends.get(frame.index) ?? 0) + 1;
    ends.set(frame.index, seen);
    if (seen === 2) {
      probe.complete = true;
      this.#listener.onEnd?.(frame.index);
    }
    if (stream === 'stdout') this.#begin(frame.index + 1);
  }

  #begin(index: number): void {
    const probe = this.probes[index];
    if (!probe) return;
    this.began = true;
    probe.began = true;
    this.#listener.onBegin?.(index);
  }
}

type Frame =
  | { readonly type: 'begin' }
  | { readonly type: 'end'; readonly index: number; readonly how: 'done' | 'timeout'; readonly status: number }
  | { readonly type: 'finish' };

const longestFrame = 64;

class StreamSplitter {
  readonly #marker: Buffer;
  readonly #noise: Capture;
  readonly #captureOf: (index: number) => Capture | undefined;
  readonly #onFrame: (frame: Frame) => void;
  #held: Buffer = empty;
  #current: Capture;

  constructor(
    nonce: string,
    noise: Capture,
    captureOf: (index: number) => Capture | undefined,
    onFrame: (frame: Frame) => void,
  ) {
    this.#marker = Buffer.from(`\n${nonce} `);
    this.#noise = noise;
    this.#captureOf = captureOf;
    this.#onFrame = onFrame;
    this.#current = noise;
  }

  push(chunk: Buffer): void {
    let data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = empty;
    for (;;) {
      const start = data.indexOf(this.#marker);
      if (start === -1) {
        const keep = partialMarker(data, this.#marker);
        this.#current.push(data.subarray(0, data.length - keep));
        this.#held = data.subarray(data.length - keep);
        return;
      }
      const bodyStart = start + this.#marker.length;
      const end = data.indexOf(0x0a, bodyStart);
      if (end === -1 && data.length - bodyStart < longestFrame) {
        this.#current.push(data.subarray(0, start));
        this.#held = data.subarray(start);
        return;
      }
      const frame = end === -1 ? undefined : parseFrame(data.toString('latin1', bodyStart, end));
      if (!frame) {
        // The nonce without a valid frame: host text that cannot be ours. Keep it as output.
        this.#current.push(data.subarray(0, bodyStart));
        data = data.subarray(bodyStart);
        continue;
      }
      this.#current.push(data.subarray(0, start));
      const next = frame.type === 'begin' ? 0 : frame.type === 'end' ? frame.index + 1 : undefined;
      this.#current = (next === undefined ? undefined : this.#captureOf(next)) ?? this.#noise;
      this.#onFrame(frame);
      data = data.subarray(end + 1);
    }
  }

  end(): void {
    this.#current.push(this.#held);
    this.#held = empty;
  }
}

/** How many bytes at the end may be the start of a marker. It starts with its only line feed, so one look is enough. */
function partialMarker(data: Buffer, marker: Buffer): number {
  const start = data.lastIndexOf(0x0a);
  const length = data.length - start;
  if (start === -1 || length >= marker.length) return 0;
  return data.compare(marker, 0, length, start) === 0 ? length : 0;
}

function parseFrame(text: string): Frame | undefined {
  if (text === 'z') return { type: 'finish' };
  if (text === 'b 0') return { type: 'begin' };
  const match = /^e (\d{1,6}) (done|timeout) (\d{1,3})$/.exec(text);
  if (!match) return undefined;
  return { type: 'end', index: Number(match[1]), how: match[2] as 'done' | 'timeout', status: Number(match[3]) };
}
