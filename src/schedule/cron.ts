import { cronText } from './calendar.js';
import { grace, oneLine, type ScheduledJob, type ScheduleTarget } from './job.js';
import { shellCommand, shellWord } from './shell.js';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A file for /etc/cron.d, the script that it starts, and the rotation of its log. */
export const cron: ScheduleTarget = {
  place: 'machine',
  outputs: [],
  render(job) {
    const script = `/usr/local/lib/opsctl/${job.name}`;
    const state = `/var/lib/${job.name}`;
    const log = `/var/log/${job.name}.log`;
    const owner = shellWord(job.user);
    return {
      files: [
        { path: script, mode: '0755', text: runScript(job, state, log) },
        { path: `/etc/logrotate.d/${job.name}`, mode: '0644', text: rotation(job, log) },
        // Last: cron starts the script as soon as it sees this.
        { path: `/etc/cron.d/${job.name}`, mode: '0644', text: cronFile(job, script) },
      ],
      prepare: [
        `install -d -o ${owner} -m 0700 ${state}`,
        `[ -e ${log} ] || install -o ${owner} -m 0600 /dev/null ${log}`,
        ...secretsNext(job, owner),
      ],
      next: [
        `# try it: su -s /bin/sh ${owner} -c 'env -i ${script}'; echo "exit $?"`,
        `# look at its runs: XDG_STATE_HOME=${state} opsctl runs`,
      ],
    };
  },
};

/** Makes the file for the secrets of a runbook, and leaves one alone that is there. */
export function secretsNext({ secrets, name }: ScheduledJob, owner: string): readonly string[] {
  if (secrets.length === 0) return [];
  const file = secretsFile(name);
  return [
    'install -d -m 0755 /etc/opsctl',
    `[ -e ${file} ] || install -o ${owner} -m 0600 /dev/null ${file}`,
    `# write into ${file}: ${secrets.map((variable) => `${variable}='…'`).join(' ')}`,
  ];
}

export function secretsFile(name: string): string {
  return `/etc/opsctl/${name}.env`;
}

function cronFile(job: ScheduledJob, script: string): string {
  return `# ${oneLine(job.title)}. Made by: ${oneLine(job.madeBy)}
# Mail comes only when a run was not well, or could not start.
SHELL=/bin/sh
PATH=${path}
MAILTO=${job.mailTo ?? job.user}
${cronText(job.calendar)}  ${job.user}  ${script}
`;
}

/** Everything stands in the script, so that cron, which makes a line end of every \`%\`, sees no value. */
function runScript(job: ScheduledJob, state: string, log: string): string {
  const deadline = job.deadline + grace;
  return `#!/bin/sh
# ${oneLine(job.title)}. Made by: ${oneLine(job.madeBy)}
# Prints nothing when all is well. Exit: that of opsctl, or 75 while the last run is still at work, 74 without its files.
set -u
umask 077
name=${job.name}
state=${state}
log=${log}

# Nothing is taken over from cron but who we are.
PATH=${path}
: "\${HOME:=$(getent passwd "$(id -u)" | cut -d : -f 6)}"
XDG_STATE_HOME=$state
TERM=dumb
LC_ALL=C.UTF-8
export PATH HOME XDG_STATE_HOME TERM LC_ALL
exec </dev/null

tell() {
  printf '%s %s: %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$name" "$1"
}

if ! [ -w "$state" ] || ! [ -w "$log" ]; then
  tell "$state and $log must be there, and $(id -un) must own them" >&2
  exit 74
fi
# For a run that does not begin: cron mails it, and the log has it.
give_up() {
  tell "$2" | tee -a "$log" >&2
  exit "$1"
}
${job.secrets.length > 0 ? secretsText(job) : ''}
# The lock belongs to the open file: it goes with the last process that holds it, whatever ends that one. The file itself
# stays for ever: were it removed and made again, two runs could hold "the" lock.
exec 9>>"$state/lock"
flock -n 9 || give_up 75 'left out: the last run is still at work'
${job.jitter > 0 ? waitText(job.jitter) : ''}
status=0
cd ${shellWord(job.folder)} || give_up 74 'the folder of the runbook cannot be entered'
# opsctl keeps its own deadline; this one is for an opsctl that hangs.
timeout -k 60 ${deadline} ${shellCommand(job.program, job.args)} >"$state/last" 2>&1 || status=$?
{
  tell "exit $status"
  cat "$state/last"
} >>"$log"
cat "$state/last" >&2
[ "$status" -eq 0 ] || tell "exit $status, see $log" >&2
exit "$status"
`;
}

function waitText(jitter: number): string {
  return `
# The same wait every time on one machine, another one on the next.
sleep "$(($(printf '%s %s\\n' "$(uname -n)" "$name" | cksum | cut -d ' ' -f 1) % ${jitter}))"
`;
}

function secretsText({ name, user }: ScheduledJob): string {
  return `
# Secrets of the runbook, a NAME='value' a line; only ${user} may read the file. A shell that cannot read it ends at once.
[ -r ${secretsFile(name)} ] || give_up 74 '${secretsFile(name)} is not there, or not to be read'
set -a
# shellcheck source=/dev/null
. ${secretsFile(name)}
set +a
`;
}

/** The log lies in a folder of root's, so that nobody can put a link in its place while root turns it over. */
function rotation(job: ScheduledJob, log: string): string {
  return `# Made by: ${oneLine(job.madeBy)}
${log} {
  monthly
  maxsize 10M
  rotate 12
  missingok
  notifempty
  compress
  delaycompress
  create 0600 ${job.user}
}
`;
}
