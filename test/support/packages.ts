/**
 * The Debian package of every program that a suite asks for with `describeWith`. `npm test` installs what is
 * missing when it is root, and names it otherwise.
 */
export const packages = {
  ansible: 'ansible-core',
  'ansible-inventory': 'ansible-core',
  bash: 'bash',
  bindfs: 'bindfs',
  busybox: 'busybox-static',
  check_dummy: 'monitoring-plugins-basic',
  check_load: 'monitoring-plugins-basic',
  check_procs: 'monitoring-plugins-basic',
  cron: 'cron',
  dash: 'dash',
  dig: 'dnsutils',
  fish: 'fish',
  fusermount3: 'fuse3',
  git: 'git',
  hyperfine: 'hyperfine',
  flock: 'util-linux',
  ip: 'iproute2',
  iptables: 'iptables',
  mmdebstrap: 'mmdebstrap',
  nodeset: 'clustershell',
  nsenter: 'util-linux',
  openssl: 'openssl',
  ps: 'procps',
  script: 'bsdutils',
  setfacl: 'acl',
  shellcheck: 'shellcheck',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  sudo: 'sudo',
  'systemd-nspawn': 'systemd-container',
  tcsh: 'tcsh',
  tmux: 'tmux',
  unshare: 'util-linux',
  xmllint: 'libxml2-utils',
  zsh: 'zsh',
} as const;

/** What a suite may ask for. */
export type Need = keyof typeof packages | 'root';
