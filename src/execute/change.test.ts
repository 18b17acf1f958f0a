import { describe, expect, it } from 'vitest';
import command from '../steps/run/command/step.js';
import { type Connection, TransportError } from '../transports/transport.js';
import { runChange } from './change.js';
import type { RunContext } from './context.js';
import type { ReadyItem } from './ready.js';
import type { HostSession } from './session.js';

const entry = {
  item: { step: { key: 'apply', kind: command, timeout: 1 } },
  params: { effect: 'change', 'ok-status': [0] },
  args: ['/bin/sh', 'true'],
} as unknown as ReadyItem;

function change(earlierJob: string | undefined, connect: () => Promise<Connection>, stop = new AbortController()) {
  const run = {
    runId: 'r1',
    signal: stop.signal,
    now: () => new Date(),
    earlierJob: () => earlierJob,
  } as unknown as RunContext;
  const session = { connect, privilege: undefined } as unknown as HostSession;
  const announced: string[] = [];
  const result = runChange(entry, session, false, run, 'web1', 'apply', (job) => {
    announced.push(job);
    // The journal is full: the run stops.
    stop.abort('output');
  });
  return { result, announced };
}

describe('a change', () => {
  it('does not begin when the journal could not take it', async () => {
    const commands: string[] = [];
    const connection = {
      exec: async (text: string) => {
        commands.push(text);
        throw new TransportError('channel-timeout', 'unreachable', 'too late');
      },
    } as unknown as Connection;

    const { result, announced } = change(undefined, async () => connection);

    expect(await result).toMatchObject({ outcome: 'skipped', reason: 'stopped', neverStarted: true });
    expect(announced).toHaveLength(1);
    expect(commands).toEqual([]);
  });

  it('was not begun on a host out of reach, unless an earlier run may have begun it', async () => {
    const lost = async () => {
      throw new TransportError('connect-refused', 'unreachable', 'web1 refused the connection');
    };

    expect(await change(undefined, lost).result).toMatchObject({ outcome: 'unreachable', neverStarted: true });
    expect(await change('job-1', lost).result).toMatchObject({
      outcome: 'unknown',
      reason: 'connect-refused',
      neverStarted: false,
    });
  });
});
