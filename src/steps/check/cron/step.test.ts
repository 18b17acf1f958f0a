import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.js';
import { fixture, judgeOutput, say, shells } from '../../../../test/support/probe.js';
import kind from './step.js';

const read = (name: string) => fixture(`debian12-${name}.txt`, import.meta.url);
const later = (said: string, seconds: number) =>
  said.replace(/^now\t(\d+)/m, (_, now: string) => `now\t${Number(now) + seconds}`);
const job = { command: 'touch /run/ran' };

describe('check.cron', () => {
  it('tells when the job was started and when it wrote its file', () => {
    expect(judgeOutput(kind, read('journal'), { ...job, file: '/run/ran' })).toMatchObject({
      outcome: 'ok',
      summary: 'cron runs, the job was started 27.7 s ago, /run/ran was changed 28 s ago',
      metrics: [{ name: 'age' }, { name: 'file-age' }],
    });
  });

  it('judges the age of the start and of the file for themselves', () => {
    const said = later(read('journal'), 7200);
    const given = { ...job, file: '/run/ran', 'warning-age': '1h', 'critical-file-age': '1h' };

    expect(judgeOutput(kind, said, given)).toMatchObject({
      outcome: 'failed',
      reason: 'above-critical',
      summary:
        '/run/ran was last changed 2.01 h ago, limit 60 min; "touch /run/ran" was last started 2.01 h ago, limit 60 min',
    });
  });

  it('fails for a file or a stamp that never came', () => {
    expect(judgeOutput(kind, read('journal').replace(/^file\t\d+/m, 'file\t'), { file: '/run/ran' }).reason).toBe(
      'file-absent',
    );
    expect(judgeOutput(kind, read('journal'), { anacron: 'cron.daily' })).toMatchObject({
      outcome: 'failed',
      reason: 'never-ran',
      summary: 'anacron has never finished cron.daily',
    });
  });

  it('calls a job late that is not in the log only as far as the log goes back', () => {
    const given = { command: 'not there', 'critical-age': '1h' };

    expect(judgeOutput(kind, read('not-seen'), given)).toMatchObject({
      outcome: 'unknown',
      reason: 'not-seen',
      summary: '"not there" was not started in the journal, which goes back 28.4 s',
    });
    expect(judgeOutput(kind, later(read('not-seen'), 7200), given)).toMatchObject({
      outcome: 'failed',
      reason: 'not-started',
    });
    expect(judgeOutput(kind, read('not-seen'), { command: 'not there' }).outcome).toBe('unknown');
    expect(judgeOutput(kind, read('not-seen').replace(/^since.*\n/m, ''), given).summary).toMatch(/which is empty$/);
  });

  it('fails when the daemon is stopped, and is skipped where there is none', () => {
    const none = read('stopped').replace('daemon\t\n', 'daemon\tabsent\n');

    expect(judgeOutput(kind, read('stopped'), { file: '/run/ran' })).toMatchObject({
      outcome: 'failed',
      reason: 'cron-stopped',
      summary: 'no cron daemon runs',
    });
    expect(judgeOutput(kind, none).outcome).toBe('skipped');
    expect(judgeOutput(kind, none, { file: '/run/ran' }).summary).toBe('no cron daemon is installed');
  });

  it('needs no daemon for anacron, which a timer may start', () => {
    const said = 'now\t1000\ndaemon\tabsent\nstamp\t400\nend\t\n';

    expect(judgeOutput(kind, said, { anacron: 'cron.daily', 'critical-age': '26h' })).toMatchObject({
      outcome: 'ok',
      summary: 'cron.daily was done 10 min ago',
    });
  });

  it('reads the time stamps of newer syslog', () => {
    const said = 'now\t1795446143\ndaemon\tcrond\nlog\t/var/log/cron\nran\t2026-11-23T16:01:23.5+01:00\nend\t\n';

    expect(judgeOutput(kind, said, job).metrics?.[0]?.value).toBe(59.5);
  });

  it('refuses an age of nothing', () => {
    expect(kind.validate?.({ 'warning-age': '1h' } as never)).toMatchObject([{ path: ['warning-age'] }]);
    expect(kind.validate?.({ ...job, 'critical-file-age': '1h' } as never)).toMatchObject([
      { path: ['critical-file-age'] },
    ]);
    expect(kind.validate?.({ ...job, 'warning-age': '1h' } as never)).toEqual([]);
  });

  it('does not call a file fresh for ever that is dated ahead', () => {
    const ahead = read('journal').replace(/^file\t\d+/m, 'file\t2999999999');

    expect(judgeOutput(kind, ahead, { file: '/run/ran', 'critical-file-age': '1d' }).outcome).toBe('failed');
  });

  it.each([
    ['', {}],
    ['now\t1\nend\t\n', {}],
    [read('journal').replace('end\t\n', ''), job],
    [read('stopped'), job],
    [read('journal').replace(/^ran\t.*/m, 'ran\tyesterday'), job],
    [read('journal').replace(/^stamp.*\n/m, ''), { anacron: 'cron.daily' }],
  ])('does not take %#: %j for an answer', (said, given) => {
    expect(() => judgeOutput(kind, said, given)).toThrow();
  });
});

describeWith('check.cron with a real cron', ['unshare', 'root', 'cron', 'dash', 'bash', 'busybox'], () => {
  /** Runs the probe beside a cron of its own, which has just run a job, and a syslogd of its own. */
  function look(given: object, shell: string, { daemon = true, prepare = 'true' } = {}) {
    const [program = 'sh', ...options] = shells[shell] ?? [];
    const script = `mount -t proc proc /proc
for folder in /run /dev /var/log /var/spool /etc/cron.d; do mount -t tmpfs none $folder; done
mknod -m 666 /dev/null c 1 3
mkdir -p /var/spool/cron/crontabs /var/spool/anacron
date +%Y%m%d >/var/spool/anacron/cron.daily
echo '@reboot root touch /run/done' >/etc/cron.d/job
ended=
if ${daemon}; then
  busybox syslogd -n -O /var/log/syslog &
  ended="$ended $!"
  n=0
  while [ ! -e /dev/log ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
  cron -f &
  ended="$ended $!"
  n=0
  while [ ! -e /run/done ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
fi
${prepare}
status=0
"$@" || status=$?
[ -z "$ended" ] || kill $ended
exit $status`;
    const result = spawnSync(
      'unshare',
      [
        '-mpf',
        'sh',
        '-euc',
        script,
        'sh',
        say('which', program).trim(),
        ...options,
        '-c',
        kind.probe.text,
        'sh',
        ...kind.args(given as never).map(String),
      ],
      { env: { ...process.env, LC_ALL: 'C' } },
    );
    return { stdout: result.stdout, stderr: result.stderr, exitStatus: result.status ?? -1 };
  }

  it.each(Object.keys(shells))('finds the daemon, the start in syslog, the stamp and the file with %s', (shell) => {
    const given = { ...job, command: 'touch /run/done', anacron: 'cron.daily', file: '/run/done' };
    const judged = judgeOutput(kind, look(given, shell), { ...given, 'critical-age': '5m', 'critical-file-age': '5m' });

    expect(judged.summary).toMatch(
      /^cron runs, the job was started \d+ s ago, cron\.daily was done \d+ s ago, \/run\/done was changed \d+ s ago$/,
    );
  });

  it.each(Object.keys(shells))('reads syslog of last year, and of before it was rotated, with %s', (shell) => {
    const line = (time: string) => `${time} vm CRON[1]: (root) CMD (nightly --all)`;
    const next = new Date(Date.now() + 5 * 86_400_000);
    const month = next.toLocaleString('en', { month: 'short', timeZone: 'UTC' });
    const day = String(next.getUTCDate()).padStart(2);
    const prepare = `echo '${line(`${month} ${day} 01:02:03`)}' >/var/log/syslog.1; echo '${line('Jan  1 00:00:00').replace('nightly', 'other')}' >/var/log/syslog`;
    const given = { command: 'nightly --all' };

    const judged = judgeOutput(kind, look(given, shell, { daemon: false, prepare }), given);

    expect(judged.metrics?.[0]?.value).toBeGreaterThan(355 * 86_400);
    expect(judged.metrics?.[0]?.value).toBeLessThan(363 * 86_400);
    expect(judged.reason).toBe('cron-stopped');
  });

  it.each(Object.keys(shells))('takes nobody else for cron, and reads past the zeros of a crash, with %s', (shell) => {
    const now = Date.now();
    const line = (minutes: number, text: string) => `${new Date(now - minutes * 60_000).toISOString()} vm ${text}\\n`;
    const log = [
      line(90, 'CRON[1]: (root) CMD (nightly --all)'),
      `${'\\000'.repeat(9)}\\n`,
      line(60, 'CRON[2]: (root) CMD (nightly --all)'),
      line(1, 'sudo: bob : COMMAND=/bin/echo CMD (nightly --all)'),
      line(1, 'app[7]: no cmd nightly --all here'),
    ];
    const given = { command: 'nightly --all' };

    const prepare = `printf '${log.join('')}' >/var/log/syslog`;
    const judged = judgeOutput(kind, look(given, shell, { daemon: false, prepare }), given);

    expect(judged.metrics?.[0]?.value).toBeGreaterThan(59 * 60);
    expect(judged.metrics?.[0]?.value).toBeLessThan(89 * 60);
  });

  it('is unknown without a log, and where the log or the processes are closed', () => {
    const asUser = (args: readonly string[], prepare: string) =>
      spawnSync('unshare', [
        '-mpf',
        'sh',
        '-euc',
        `mount -t proc ${prepare} /proc\nmount -t tmpfs none /var/log\necho x >/var/log/syslog\nchmod 600 /var/log/syslog\nstatus=0\nsetpriv --reuid 65534 --regid 65534 --clear-groups dash -c "$@" || status=$?\nexit $status`,
        'sh',
        kind.probe.text,
        'sh',
        ...args,
      ]);

    expect(look({ command: 'x' }, 'dash', { daemon: false }).exitStatus).toBe(69);
    expect(asUser(['x', '', ''], 'proc').status).toBe(77);
    expect(asUser(['', '', ''], '-o hidepid=2 proc').status).toBe(77);
    expect(asUser(['', '', '/root/x'], 'proc').status).toBe(77);
  });
});
