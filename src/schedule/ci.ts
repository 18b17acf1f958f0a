import { grace, reportsFolder, type ScheduledJob } from './job.js';
import { shellCommand } from './shell.js';

/**
 * What a CI runs: a home of its own that goes away, the key in an agent and never on disk, the known host keys, then the
 * run. OPSCTL_SSH_KEY and OPSCTL_KNOWN_HOSTS hold the text, or name a file with it. The exit code is that of opsctl.
 */
export function ciScript(job: ScheduledJob): string {
  return `set -eu
umask 077
mkdir -p ${reportsFolder}
HOME=$(mktemp -d)
trap 'ssh-agent -k >/dev/null 2>&1 || true; rm -rf "$HOME"' EXIT
# Not every shell does that when it is stopped by a signal.
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$HOME/.ssh"
export HOME XDG_STATE_HOME="\${XDG_STATE_HOME:-$HOME/state}" TERM=dumb
content() {
  if [ -f "$1" ]; then cat "$1"; else printf '%s\\n' "$1"; fi | tr -d '\\r'
}
if [ -n "\${OPSCTL_KNOWN_HOSTS:-}" ]; then
  content "$OPSCTL_KNOWN_HOSTS" >"$HOME/.ssh/known_hosts"
fi
if [ -n "\${OPSCTL_SSH_KEY:-}" ]; then
  eval "$(ssh-agent -s)" >/dev/null
  content "$OPSCTL_SSH_KEY" | ssh-add -q -
fi
unset OPSCTL_SSH_KEY OPSCTL_KNOWN_HOSTS
${shellCommand(['opsctl', ...job.args.slice(0, 2)], job.args.slice(2))}
`;
}

/** Minutes after which the CI ends a job, with time for the installation. */
export function ciMinutes({ deadline }: ScheduledJob): number {
  return Math.ceil((deadline + grace) / 60) + 5;
}

/** The lines of a text, each as far in. */
export function indented(text: string, spaces: number): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `${' '.repeat(spaces)}${line}`))
    .join('\n');
}

/** A value in YAML: JSON is YAML. */
export function yamlText(text: string): string {
  return JSON.stringify(text);
}
