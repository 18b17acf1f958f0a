import { systemdText } from './calendar.js';
import { secretsFile, secretsNext } from './cron.js';
import { grace, oneLine, type ScheduledJob, type ScheduleTarget } from './job.js';

/** A oneshot service, which never runs twice at once, and the timer that starts it. */
export const systemd: ScheduleTarget = {
  place: 'machine',
  outputs: [],
  render(job) {
    return {
      files: [
        { path: `/etc/systemd/system/${job.name}.service`, mode: '0644', text: service(job) },
        { path: `/etc/systemd/system/${job.name}.timer`, mode: '0644', text: timer(job) },
      ],
      // systemd reads it before it becomes the user.
      prepare: secretsNext(job, 'root'),
      next: [
        'systemctl daemon-reload',
        `systemctl enable --now ${job.name}.timer`,
        `# try it: systemctl start ${job.name}.service; journalctl -u ${job.name} -n 50`,
        `# look at its runs: XDG_STATE_HOME=/var/lib/${job.name} opsctl runs`,
      ],
    };
  },
};

function service(job: ScheduledJob): string {
  return `# Made by: ${oneLine(job.madeBy)}
[Unit]
Description=${unitText(oneLine(job.title))}
Wants=network-online.target
After=network-online.target
# Whom to tell when a run was not well: a unit of yours that sends the message.
#OnFailure=tell-someone@%n.service

[Service]
# A oneshot service is started once at a time; a timer that elapses meanwhile waits for nothing and starts nothing.
Type=oneshot
User=${job.user}
WorkingDirectory=${unitText(job.folder)}
StateDirectory=${job.name}
StateDirectoryMode=0700
UMask=0077
Environment=XDG_STATE_HOME=/var/lib/${job.name} TERM=dumb LC_ALL=C.UTF-8
${job.secrets.length > 0 ? `# Secrets of the runbook, a NAME='value' a line; root's, mode 0600.\nEnvironmentFile=${secretsFile(job.name)}\n` : ''}ExecStart=${[...job.program, ...job.args].map(commandWord).join(' \\\n  ')}
StandardInput=null
SyslogIdentifier=${job.name}
# opsctl keeps its own deadline; this one is for an opsctl that hangs.
TimeoutStartSec=${job.deadline + grace}
# \`systemctl stop\` asks opsctl to end in order, and that is no failure of this unit. Every exit code but 0 is one; to
# take "a host was away" (4) as well, write 4 143.
TimeoutStopSec=60
KillMode=mixed
SuccessExitStatus=143
${(job.measuresItself ? openHardening : hardening(job)).join('\n')}
`;
}

/** A job that looks at its own machine must see it as it is: what a sandbox shows would be measured in its place. */
const openHardening = [
  '',
  '# Some checks look at this machine: no sandbox, which they would measure in its place, and sudo stays possible.',
  'LockPersonality=true',
  'RestrictRealtime=true',
  'SystemCallArchitectures=native',
];

/** No MemoryDenyWriteExecute: Node.js compiles to memory. Home folders stay readable for keys and known_hosts. */
function hardening({ writes, folder, args }: ScheduledJob): readonly string[] {
  const readsTmp = [folder, ...args].some((word) => /(^|=)\/(var\/)?tmp(\/|$)/.test(word));
  return [
    '',
    '# It looks over the network only, so it may see and touch little here: its state, and the folders below.',
    ...(writes.length > 0 ? [`ReadWritePaths=${writes.map((folder) => unitWord(`-${folder}`)).join(' ')}`] : []),
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    ...(readsTmp ? [] : ['PrivateTmp=true']),
    'PrivateDevices=true',
    'ProtectProc=invisible',
    'ProtectClock=true',
    'ProtectControlGroups=true',
    'ProtectHostname=true',
    'ProtectKernelLogs=true',
    'ProtectKernelModules=true',
    'ProtectKernelTunables=true',
    'NoNewPrivileges=true',
    'CapabilityBoundingSet=',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=true',
    'RestrictRealtime=true',
    'RestrictSUIDSGID=true',
    'LockPersonality=true',
    'RemoveIPC=true',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
  ];
}

function timer(job: ScheduledJob): string {
  return `# Made by: ${oneLine(job.madeBy)}
[Unit]
Description=Start ${job.name}

[Timer]
OnCalendar=${systemdText(job.calendar)}
# The same wait every time on one machine, another one on the next.
RandomizedDelaySec=${job.jitter}
FixedRandomDelay=true
AccuracySec=1s
# A start that was missed, because the machine was off, is made up for.
Persistent=true

[Install]
WantedBy=timers.target
`;
}

/** Text of a setting: \`%\` begins a specifier. */
function unitText(text: string): string {
  return text.replaceAll('%', '%%');
}

/** A word of a command line: variables mean nothing either. */
function commandWord(word: string): string {
  return unitWord(word).replaceAll('$', '$$$$');
}

/** A word of a list: specifiers and quotes mean nothing. */
function unitWord(word: string): string {
  const text = unitText(word);
  if (/^[\w@%+=:,./$-]+$/.test(text)) return text;
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '"': '\\"', '\\': '\\\\' };
  return `"${text.replace(/[\n\t"\\]/g, (character) => escapes[character] ?? character)}"`;
}
