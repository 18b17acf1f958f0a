import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

/** Folders of test/ whose suites start no server and measure no time. */
const quick = 'test/{documents,expressions,invalid,inventory,reports,tooling}/**/*.test.ts';

/** Suites with hosts or servers of their own. They leave this machine alone: no changes, no mounts that others see. */
const hosts = [
  'test/{lab,contract}/**/*.test.ts',
  'test/steps/{container,keystores,kinds,kubernetes,monitoring-plugins-*}.test.ts',
];

/** Real servers, terminals and runs on this machine, with deadlines of their own: one file at a time. */
const alone = { testTimeout: 120_000, hookTimeout: 300_000, fileParallelism: false } as const;

export default defineConfig({
  // The build puts the version in place of this name; unbundled code gets it here.
  define: { OPSCTL_VERSION: JSON.stringify(version) },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['src/**/*.test.ts', quick],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: [quick, ...hosts],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { ...alone, name: 'hosts', include: hosts, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
