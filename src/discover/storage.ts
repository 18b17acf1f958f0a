import type { Candidate, Subject } from './subject.js';

/** Options that were set for safety: a mount without them is open to what they forbid. */
const pinned = ['nosuid', 'nodev', 'noexec'];

export const storage: Subject = {
  title: 'Storage',
  tag: 'storage',
  find: (survey) => ({
    checks: [
      { uses: 'check.disk', name: 'Disks', with: { writable: true }, otherwise: [{}] },
      ...survey.lines('fstab').flatMap(mountOf),
      { uses: 'check.nfs', name: 'Network file systems answer', optional: true },
      { uses: 'check.md', name: 'Software RAID', optional: true },
      { uses: 'check.lvm', name: 'Volume groups', optional: true },
      { uses: 'check.zfs', name: 'ZFS pools', optional: true },
      { uses: 'check.btrfs', name: 'Btrfs', optional: true },
      { uses: 'check.smart', name: 'Disks by SMART', optional: true },
    ],
  }),
};

/** What the administrator wants mounted at the start. */
function mountOf(line: string): Candidate[] {
  const [, place = '', type = '', list = ''] = line.split(' ');
  const options = list.split(',');
  // fstab writes a blank in a path as \040.
  const path = place.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  // An automount is mounted only while somebody is there.
  const others = ['noauto', 'bind', 'x-systemd.automount', 'comment=systemd.automount'];
  if (!path.startsWith('/') || type === 'swap' || options.some((option) => others.includes(option))) return [];
  const safe = pinned.filter((option) => options.includes(option));
  // A type of fstab may be another one for the kernel: nfs is nfs4, fuse.sshfs is fuse.
  const own = /^(?:ext[234]|xfs|btrfs|vfat|tmpfs|zfs|f2fs)$/.test(type) ? { type } : {};
  const readOnly = options.includes('ro') ? { 'read-only': true } : {};
  const params = { path, ...own, ...(safe.length > 0 && { options: safe }), ...readOnly };
  return [{ uses: 'check.mount', name: `${path} is mounted`, about: path === '/' ? 'root' : path, with: params }];
}
