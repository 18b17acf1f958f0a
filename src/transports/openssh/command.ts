import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { processChannel } from '../process-channel.js';
import { type Channel, type ChannelExit, type OutputHandlers, type Target, TransportError } from '../transport.js';
import { control, type Master, throughMaster } from './master.js';
import { killGroup, missingSsh, readLog, startSsh } from './program.js';

/** Runs a command through the master; what ssh says of it goes to the file `log`, which is removed at the end. */
export async function startCommand(
  target: Target,
  master: Master,
  log: string,
  command: string,
  output: OutputHandlers,
): Promise<Channel> {
  // Debug output goes to a file of its own: it alone tells a remote 255 from an ssh that failed.
  const child = startSsh(['-E', log, ...throughMaster(master), '--', master.host, command], {
    stdin: 'pipe',
  }) as unknown as ChildProcess;
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  let session: number | undefined;
  let told: ChannelExit | undefined;
  let lastWords: string | undefined;
  const channel = processChannel(child, output, {
    afterExit: target.deadlines.afterExit,
    held: true,
    async judge(exit) {
      lastWords = readLog(log);
      rmSync(log, { force: true });
      return judgeExit(target, master, exit, told, lastWords);
    },
    onEnd() {
      if (session !== undefined) master.log.forget(session);
      if (!ended && child.pid !== undefined) killGroup(child.pid);
    },
  });

  const end = performance.now() + target.deadlines.channel;
  for (;;) {
    // Looked at before the log: a short command may end between the two.
    const over = ended || child.pid === undefined;
    const said = lastWords ?? readLog(log);
    const id = /master session id: (\d+)/.exec(said)?.[1];
    if (id !== undefined) {
      session = Number(id);
      master.log.watch(session, (status) => {
        told = { status, signal: null };
        channel.exited(told);
      });
      // After the caller has the channel in hand.
      setImmediate(channel.release);
      return channel;
    }
    if (over) {
      channel.release();
      await channel.exit;
      throw child.pid === undefined ? missingSsh() : neverStarted(target, said);
    }
    if (performance.now() > end) {
      channel.kill();
      throw new TransportError('channel-timeout', 'unreachable', `${target.name} did not start the command in time`);
    }
    await sleep(8);
  }
}

function neverStarted(target: Target, said: string): TransportError {
  const refused = /Session open refused by peer|session request failed|mux_client_request_session: /i.test(said);
  return new TransportError(
    refused ? 'channel-refused' : 'connection-lost',
    'unreachable',
    refused
      ? `${target.name} refused to run a command`
      : `the connection to ${target.name} was lost before the command started`,
  );
}

/** ssh gives 255 for its own failures and for a command's 255: only the master's word counts. */
async function judgeExit(
  target: Target,
  master: Master,
  exit: ChannelExit,
  told: ChannelExit | undefined,
  said: string,
): Promise<ChannelExit> {
  const reported = /Received exit status from master (\d+)/.exec(said)?.[1] ?? told?.status ?? undefined;
  const truncated = exit.truncated ? { truncated: true } : {};
  if (reported !== undefined) return { status: Number(reported), signal: null, ...truncated };
  const alive = (await control(master, 'check')) === 0;
  const text = alive
    ? `${target.name}: the command ended without an exit status (ssh does not say by which signal)`
    : `the connection to ${target.name} was lost`;
  return { status: null, signal: null, lost: new TransportError('connection-lost', 'unknown', text), ...truncated };
}
