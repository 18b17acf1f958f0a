import type { Subject } from './subject.js';

export const certificates: Subject = {
  title: 'Certificates of the services',
  tag: 'certificates',
  find: (survey) => ({
    checks: survey
      .lines('certificate')
      // In the path of a file `*`, `?` and `[` would stand for others.
      .filter((path) => !/[*?[\]]/.test(path))
      .map((path) => ({
        uses: 'check.certificate',
        name: `Certificate ${path}`,
        about: path,
        with: { paths: [path] },
      })),
  }),
};
