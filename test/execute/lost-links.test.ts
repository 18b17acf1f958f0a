import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/execute/attempt.js';
import type { RunContext } from '../../src/execute/context.js';
import type { RunEvent } from '../../src/execute/events.js';
import type { ReadyItem } from '../../src/execute/ready.js';
import { HostSession } from '../../src/execute/session.js';
import type { PlannedItem } from '../../src/plan/plan.js';
import load from '../../src/steps/check/load/step.js';
import command from '../../src/steps/run/command/step.js';
import type { HostStep } from '../../src/steps/step.js';
import { defaultDeadlines } from '../../src/transports/deadlines.js';
import { createSshTransport } from '../../src/transports/ssh.js';
import type { Target } from '../../src/transports/transport.js';
import { bareTarget, targetOn } from '../contract/connect.js';
import { describeWith } from '../support/needs.js';
import { withDefaults } from '../support/probe.js';
import { type Sshd, type SshdUser, startSshd } from '../support/sshd.js';

function ready<P, D>(kind: HostStep<P, D>, given: object, timeout = 30): ReadyItem {
  const params = withDefaults(kind, given);
  const item = { step: { key: kind.kind, kind, timeout }, sudo: false, deferred: false } as unknown as PlannedItem;
  return { item, params, args: kind.args(params) };
}
const probe = ready(load, { warning: 1_000, critical: 1_000 });
const author = (text: string, timeout?: number) => ready(command, { command: text, effect: 'read' }, timeout);

/** One round on a host of its own connection; what its steps got, in their order. */
async function round(target: Target, items: readonly ReadyItem[], onStart = () => {}) {
  const transport = createSshTransport();
  const events: RunEvent[] = [];
  const run = {
    runId: 'test',
    mode: 'run',
    emit: (event: RunEvent) => events.push(event),
    now: () => new Date(),
    signal: new AbortController().signal,
    connect: (to: Target, signal: AbortSignal) => transport.open(to, signal),
    targetOf: () => target,
    privilegeOf: () => ({}),
  } as unknown as RunContext;
  const session = new HostSession(run, target.name);
  const attempts: Attempt[][] = items.map(() => []);
  await session.runRound(items, false, {
    onStart,
    onEnd: (index, attempt) => attempts[index]?.push(attempt),
  });
  await session.close();
  await transport.dispose();
  const connections = events.filter(({ type }) => type === 'host-connected').length;
  return {
    attempts: attempts.map((each) => each[0] as Attempt),
    counts: attempts.map(({ length }) => length),
    connections,
  };
}

describeWith('a link that is cut', ['sshd', 'ssh-keygen', 'root'], () => {
  let sshd: Sshd;
  let user: SshdUser;
  const servers: Server[] = [];

  beforeAll(async () => {
    sshd = await startSshd({ config: ['MaxStartups 100:30:200'] });
    user = sshd.addUser();
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => sshd.stop());

  /** A way to the sshd that breaks off after so many bytes from it: one number a connection, the last for all others. */
  async function cutting(...after: readonly number[]) {
    const seen = { connections: 0, bytes: 0 };
    const server = createServer((near) => {
      const limit = after[Math.min(seen.connections, after.length - 1)] ?? Number.POSITIVE_INFINITY;
      seen.connections += 1;
      const far = connect(sshd.port, '127.0.0.1');
      const end = () => {
        near.destroy();
        far.destroy();
      };
      let passed = 0;
      near.on('data', (chunk) => far.write(chunk));
      far.on('data', (chunk) => {
        near.write(chunk.subarray(0, limit - passed));
        passed += chunk.length;
        seen.bytes += chunk.length;
        if (passed >= limit) near.end(end);
      });
      for (const socket of [near, far]) socket.on('error', end).on('close', end).setNoDelay(true);
    });
    servers.push(server);
    const port = await listen(server);
    const [hostKey = ''] = sshd.hostKeys;
    return { target: targetOn(sshd, user, { address: '127.0.0.1', port, hostKey }), seen };
  }

  it("never makes anything ok that was not seen to end, nor runs an author's command again, at 120 places", async () => {
    const runs = join(user.home, 'runs');
    const items = [
      probe,
      author(`echo . >>${runs}; echo whole; sleep 0.02; echo end`),
      author('echo other >&2; exit 3'),
    ];
    const whole = await cutting(Number.POSITIVE_INFINITY);
    expect((await round(whole.target, items)).attempts.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'failed']);
    const total = whole.seen.bytes;

    const places = Array.from({ length: 120 }, (_, index) => Math.floor((total * (index + 1)) / 121));
    const queue = places.values();
    const kinds = new Map<string, number>();
    const worker = async () => {
      for (const place of queue) {
        const { target } = await cutting(place);
        const { attempts, counts, connections } = await round(target, items);
        expect(counts).toEqual([1, 1, 1]);
        expect(connections).toBeLessThan(2);
        for (const [index, attempt] of attempts.entries()) {
          kinds.set(attempt.outcome, (kinds.get(attempt.outcome) ?? 0) + 1);
          if (attempt.outcome === 'ok') expect(attempt.data).toBeTruthy();
          if (attempt.outcome === 'ok' && index === 1) expect(attempt.data).toMatchObject({ stdout: 'whole\nend\n' });
          if (attempt.outcome === 'failed') expect([index, attempt.data]).toMatchObject([2, { exitStatus: 3 }]);
          if (['unknown', 'unreachable'].includes(attempt.outcome))
            expect(attempt.summary).toMatch(/connection|closed|broke off|lost|shell on the host ended/);
          else expect(['ok', 'failed']).toContain(attempt.outcome);
        }
        // Whatever ended before the cut is known; after the first that is not, none is.
        const known = attempts.map(({ outcome }) => ['ok', 'failed'].includes(outcome));
        expect(known).toEqual([...known].sort((a, b) => Number(b) - Number(a)));
      }
    };
    await Promise.all([worker(), worker(), worker()]);

    expect(kinds.get('unknown')).toBeGreaterThan(5);
    expect(kinds.get('ok')).toBeGreaterThan(5);
    // The first whole round, and each cut one at most once.
    expect(existsSync(runs) ? readFileSync(runs, 'utf8').split('\n').length - 1 : 0).toBeLessThanOrEqual(121);
  }, 120_000);

  it('is worth one more try for the probes of opsctl, and no third', async () => {
    const slow = ready(
      { ...load, probe: { name: 'slow', text: `sleep 1\n${load.probe.text}` } },
      { warning: 1_000, critical: 1_000 },
    );
    const whole = await cutting(Number.POSITIVE_INFINITY);
    let before = 0;
    await round(whole.target, [slow], () => {
      setTimeout(() => {
        before = whole.seen.bytes + 1;
      }, 200);
    });

    const once = await round((await cutting(before, Number.POSITIVE_INFINITY)).target, [slow]);
    expect(once.attempts).toMatchObject([{ outcome: 'ok' }]);
    expect(once.connections).toBe(2);

    const always = await round((await cutting(before)).target, [slow]);
    expect(always.attempts).toMatchObject([{ outcome: 'unknown', reason: 'connection-lost' }]);
    expect(always.connections).toBe(2);

    const mixed = await round((await cutting(before, Number.POSITIVE_INFINITY)).target, [slow, author('echo 1')]);
    expect(mixed.attempts.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
    expect(mixed.connections).toBe(1);
  });
});

describe('a server that misbehaves', () => {
  const hostKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs1', format: 'pem' })
    .toString();
  const cleanups: (() => void)[] = [];
  // The cases run side by side.
  afterAll(() => {
    for (const cleanup of cleanups) cleanup();
  });

  interface Answer {
    readonly stdout?: string;
    readonly stderr?: string;
    /** On both streams. */
    readonly frames?: string;
    readonly end?: number | 'KILL' | 'nothing';
  }

  /** Lets everyone in, takes the payload, and answers as told; NONCE stands for the nonce of the payload. */
  async function server({ stdout = '', stderr = '', frames = '', end }: Answer): Promise<Target> {
    const clients = new Set<ssh2.Connection>();
    const listener = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      clients.add(client);
      client.on('error', () => {});
      client.on('authentication', (context) => context.accept());
      client.on('session', (accept) => {
        accept().on('exec', (take) => {
          const stream = take();
          let payload = '';
          stream.on('data', (chunk: Buffer) => {
            payload += chunk;
          });
          stream.once('end', () => {
            const nonce = /N=([0-9a-f]+)/.exec(payload)?.[1] ?? '';
            stream.write((stdout + frames).replaceAll('NONCE', nonce));
            stream.stderr.write((stderr + frames).replaceAll('NONCE', nonce));
            if (end === 'KILL') stream.exit(end);
            if (typeof end === 'number') stream.exit(end);
            if (end !== undefined) stream.end();
          });
        });
      });
    });
    cleanups.push(() => {
      for (const client of clients) client.end();
      listener.close();
    });
    const port = await listen(listener as unknown as Server);
    const parsed = ssh2.utils.parseKey(hostKey);
    if (parsed instanceof Error) throw parsed;
    return bareTarget(port, {
      hostKey: `ssh-rsa ${parsed.getPublicSSH().toString('base64')}`,
      deadlines: { ...defaultDeadlines, login: 2_000, afterExit: 500 },
    });
  }

  const begin = '\nNONCE b 0\n';
  const other = '0'.repeat(24);
  const cases: readonly [title: string, answer: Answer, outcome: string, summary: RegExp][] = [
    ['ends without an exit status', { frames: begin, end: 'nothing' }, 'unknown', /without an exit status/],
    [
      'exits with 0 and no end frame',
      { frames: `${begin}all is well\n`, end: 0 },
      'unknown',
      /status 0 before the step ended/,
    ],
    [
      'exits with 0 and no frame',
      { stdout: 'welcome\n', end: 0 },
      'unreachable',
      /another command than ours: "welcome"/,
    ],
    [
      'forges frames of another nonce',
      { frames: `${begin}\nNONCE e 0 done 0\n\nNONCE z\n`.replaceAll('NONCE', other), end: 0 },
      'unreachable',
      /another command/,
    ],
    [
      'sends the end on one stream only',
      { stdout: `${begin}\nNONCE e 0 done 0\n\nNONCE z\n`, end: 0 },
      'unknown',
      /status 0 before the step ended/,
    ],
    ['is killed', { frames: begin, end: 'KILL' }, 'unknown', /SIGKILL before the step ended/],
    ['has no login', { stdout: 'This account is currently not available.\n', end: 1 }, 'unreachable', /no login shell/],
    ['has no shell', { stderr: 'sh: not found\n', end: 127 }, 'unreachable', /exit 127.*sh: not found/],
    ['never says a word', {}, 'unknown', /silent/],
    ['falls silent in the middle', { frames: begin }, 'unknown', /silent/],
  ];

  it.concurrent.each(cases)(
    'that %s makes nothing ok, and the cause is named in time',
    async (_, answer, outcome, summary) => {
      const started = performance.now();
      const { attempts } = await round(await server(answer), [author('echo 1', 1)]);

      expect(attempts[0]?.outcome).toBe(outcome);
      expect(attempts[0]?.summary).toMatch(summary);
      expect(performance.now() - started).toBeLessThan(25_000);
    },
  );
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return address && typeof address === 'object' ? address.port : 0;
}
