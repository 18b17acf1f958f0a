import type { Candidate, Subject, Survey } from './subject.js';

export const kernel: Subject = {
  title: 'Kernel and access control',
  tag: 'kernel',
  find: (survey) => ({
    checks: [
      ...parametersOf(survey),
      { uses: 'check.apparmor', name: 'AppArmor', optional: true },
      { uses: 'check.selinux', name: 'SELinux', optional: true },
    ],
  }),
};

function parametersOf(survey: Survey): readonly Candidate[] {
  const set = new Map(survey.lines('setting').map((line) => parameterOf(line)));
  const now = new Map(survey.lines('parameter').map((line) => [parameterOf(line)[0], line]));
  return Array.from(now, ([path, line]) => {
    const [name = ''] = line.split(' ');
    const [, text] = parameterOf(line);
    const value = /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
    const wanted = set.get(path);
    const note = `the files of sysctl set "${wanted}"`;
    return {
      uses: 'check.kernel-parameter',
      name,
      about: name,
      with: { name, value },
      ...(wanted !== undefined && wanted !== text && { note }),
    };
  });
}

/** `a.b` and `a/b` are the same; words are parted by blanks or tabs. */
function parameterOf(line: string): readonly [path: string, value: string] {
  const [name = '', ...words] = line.trim().split(/\s+/);
  return [name.includes('/') ? name : name.replaceAll('.', '/'), words.join(' ')];
}
