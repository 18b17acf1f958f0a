import { type Effect, type Judgement, type ProbeOutput, text } from '../step.js';

/** How much of each stream becomes data for expressions and reports; the raw output is kept as evidence. */
const dataLimit = 64 * 1024;

export interface RunData {
  readonly exitStatus: number;
  /** The first 64 KiB. */
  readonly stdout: string;
  /** The first 64 KiB. */
  readonly stderr: string;
  /** One of the two was longer. */
  readonly truncated: boolean;
}

export function readRun({ exitStatus, stdout, stderr }: ProbeOutput): RunData {
  return {
    exitStatus,
    stdout: text(stdout.subarray(0, dataLimit)),
    stderr: text(stderr.subarray(0, dataLimit)),
    truncated: stdout.length > dataLimit || stderr.length > dataLimit,
  };
}

export function judgeRun(
  data: RunData,
  { effect, 'ok-status': okStatus }: { readonly effect: Effect; readonly 'ok-status': readonly number[] },
): Judgement {
  const { exitStatus } = data;
  if (okStatus.includes(exitStatus)) {
    const said = firstLine(data.stdout);
    return {
      outcome: effect === 'change' ? 'changed' : 'ok',
      reason: effect === 'change' ? 'changed' : 'ok',
      summary: exitStatus === 0 ? said || 'exit status 0' : `exit status ${exitStatus}${said && `: ${said}`}`,
    };
  }
  const said = lastLine(data.stderr) || lastLine(data.stdout);
  return {
    outcome: 'failed',
    reason: 'exit-status',
    summary: `exit status ${exitStatus}${signalHint(exitStatus)}${said && `: ${said}`}`,
  };
}

function signalHint(status: number): string {
  if (status === 126) return ' (cannot be executed)';
  if (status === 127) return ' (command not found)';
  return status > 128 && status <= 192 ? ` (signal ${status - 128})` : '';
}

function firstLine(output: string): string {
  return cut(output.split('\n').find((line) => line.trim() !== ''));
}

function lastLine(output: string): string {
  return cut(output.split('\n').findLast((line) => line.trim() !== ''));
}

function cut(line = ''): string {
  const trimmed = line.trim();
  return trimmed.length > 160 ? `${trimmed.slice(0, 159)}…` : trimmed;
}
