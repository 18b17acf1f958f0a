import type { Candidate, Subject, Survey } from './subject.js';

export const applications: Subject = {
  title: 'Databases, mail, containers',
  tag: 'applications',
  find(survey) {
    const notes: string[] = [];
    if (listens(survey, 5432))
      notes.push('PostgreSQL listens: give `check.postgres` a `user` that may log in, and a password from a secret');
    if (listens(survey, 3306))
      notes.push('MySQL or MariaDB listens: give `check.mysql` a `user` that may log in, and a password from a secret');
    if (listens(survey, 9200))
      notes.push('Elasticsearch may listen: say in `check.elasticsearch` which health and which queries are right');
    const checks: Candidate[] = [
      ...(listens(survey, 6379)
        ? [
            {
              uses: 'check.redis',
              name: 'Redis',
              from: 'host' as const,
              with: { address: 'localhost' },
              mend: 'give it a `password` from a secret',
            },
          ]
        : []),
      ...(listens(survey, 25)
        ? [
            {
              uses: 'check.smtp',
              name: 'Mail server',
              from: 'host' as const,
              with: { address: 'localhost', port: 25 },
              otherwise: [{ address: 'localhost', port: 25, tls: 'none' }],
            },
          ]
        : []),
      { uses: 'check.mail-queue', name: 'Mail queue', optional: true },
      ...['docker', 'podman'].flatMap((engine) =>
        survey
          .lines(engine)
          .toSorted()
          .map((name) => ({
            uses: 'check.container',
            name: `Container ${name} runs`,
            about: `${engine} ${name}`,
            with: { name, engine },
          })),
      ),
    ];
    return { checks, notes };
  },
};

function listens({ sockets }: Survey, wanted: number): boolean {
  return sockets.some(({ port, protocol }) => port === wanted && protocol === 'tcp');
}
