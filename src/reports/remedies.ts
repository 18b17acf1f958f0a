/** What to do about a reason code, where the result itself does not say it. */
export function remedyFor(reason: string): string | undefined {
  return remedies[reason];
}

const remedies: Readonly<Record<string, string>> = {
  'name-not-found': 'check the name, or give the host an `address` in the inventory',
  'connect-refused': 'nothing listens there: check the port, and that the service (for SSH: sshd) runs',
  'connect-timeout': 'check address, firewall and power; `connect.deadlines.connect` sets the wait',
  'no-route': 'check routing or VPN; a bastion goes into `connect.jump`',
  'parent-down': 'bring back what it is behind first',
  'connection-reset': 'the server closed the connection: check its log and MaxStartups',
  'banner-timeout': 'something listens but does not greet: check for a proxy, or load on the host',
  'not-ssh': 'another service answers on this port: check `port`',
  'login-timeout': 'the login took too long: check DNS and PAM on the host',
  'channel-refused': 'the server refused a session: check MaxSessions and forced commands',
  'channel-timeout': 'the server opened no session in time: check load on the host',
  'connection-lost': 'run `opsctl resume` with this run before you start it again',
  'keepalive-timeout': 'the host went silent: run `opsctl resume` with this run when it is back',
  'host-key-unknown': 'compare the fingerprint by another way, then `opsctl trust add`',
  'host-key-mismatch': 'stop: a rebuilt host or an attack; find out which before you change known_hosts',
  'host-key-revoked': 'the key is revoked: do not connect; install a new host key',
  'host-key-certificate': 'only a certificate authority is known for this host: use `transport: openssh`',
  'auth-failed': 'check user, key and authorized_keys on the host',
  'key-encrypted': 'load the key into ssh-agent, or give its `passphrase`',
  'key-unreadable': 'check the path in `identity` and its permissions',
  'key-permissions': 'take the key away from others: chmod 600',
  'key-certificate': 'certificates need `transport: openssh`',
  'agent-unavailable': 'start ssh-agent, or set SSH_AUTH_SOCK',
  'program-missing': 'install the OpenSSH client, or use `transport: ssh`',
  'needs-privilege': 'set `sudo: true`, and allow the account in sudoers',
  'sudo-refused': 'allow the account in sudoers, or give `sudo.password`',
  'tool-missing': 'install the tool on the host',
  'too-few-results': 'see what was skipped or is unknown there, or lower `expect-min-results` of the runbook',
  timeout: 'give the step a longer `timeout`, or find out what hangs',
  'unreadable-output': 'the output is not what this step knows: see its raw output, and report it',
  interrupted: 'the host no longer knows how this ended: look there before you run it again',
  locked: 'another run works on this host: wait for it',
};
