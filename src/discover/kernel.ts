import type { Candidate, Subject } from './subject.js';

export const kernel: Subject = {
  title: 'Kernel and access control',
  tag: 'kernel',
  find: (survey) => ({
    checks: [
      ...survey.lines('parameter').map((line): Candidate => {
        const [name = '', ...words] = line.trimEnd().split(' ');
        const text = words.join(' ');
        const value = /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
        return { uses: 'check.kernel-parameter', name, about: name, with: { name, value } };
      }),
      { uses: 'check.apparmor', name: 'AppArmor', optional: true },
      { uses: 'check.selinux', name: 'SELinux', optional: true },
    ],
  }),
};
