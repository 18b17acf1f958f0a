import type { UnitProperties } from '../steps/check/units.js';

/** Units that are part of the system itself, and say nothing about what a host is for. */
const base = new RegExp(
  `^(?:${[
    // What the rest of systemd watches over; its daemons for network, names and time are somebody's choice.
    'systemd-(?!networkd\\.|resolved\\.|timesyncd\\.).*',
    '(?:.*-)?getty@.*|getty-static|container-getty@.*|console-(?:getty|setup)|keyboard-setup|setvtrgb|rc-local',
    'dbus(?:-broker|-org\\..*)?|polkit|user@.*|user-runtime-dir@.*|session-.*|accounts-daemon|rtkit-daemon|udisks2|upower',
    'kmod.*|modprobe@.*|ldconfig|finalrd|plymouth.*|emergency|rescue|initrd-.*|dracut-.*|import-state|loadmodules',
    'e2scrub.*|blk-availability|lvm2-(?:monitor|lvmpolld)|dm-event|cloud-.*|pollinate|apport.*|ua-.*|ubuntu-.*|motd-news',
    'man-db|dpkg-db-backup|fstrim|fwupd.*|packagekit.*|ModemManager|wpa_supplicant|switcheroo-control|bolt|colord|nis-domainname',
    'selinux-autorelabel.*|sshd-keygen.*|apt-daily|snapd\\.(?:core-fixup|recovery-chooser-trigger|system-shutdown|autoimport|seeded|failure|apparmor)',
    'ifup@.*|ifupdown-.*|nfs-(?:blkmap|config|utils|idmapd)|procps|sysstat-.*|phpsessionclean|pcscd|uuidd|cups-browsed',
  ].join('|')})\\.(?:service|socket|timer)$`,
);

export function isBase(unit: string): boolean {
  return base.test(unit);
}

export function named(unit: UnitProperties): string {
  return unit.Id ?? '';
}

/** `nginx` for `nginx.service`: other kinds keep their ending. */
export function shortName(unit: string): string {
  return unit.replace(/\.service$/, '');
}

export function startsAtBoot({ UnitFileState = '' }: UnitProperties): boolean {
  return UnitFileState === 'enabled' || UnitFileState === 'alias';
}

/** The units that are somebody's choice, of one ending, by name. */
export function chosen(units: readonly UnitProperties[], ending: '.service' | '.socket' | '.timer'): UnitProperties[] {
  return units
    .filter((unit) => named(unit).endsWith(ending) && unit.LoadState === 'loaded' && !isBase(named(unit)))
    .toSorted((a, b) => (named(a) < named(b) ? -1 : 1));
}
