import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

/** Folders of test/ whose suites start no server and measure no time. */
const quick = 'test/{documents,expressions,invalid,inventory,reports,tooling}/**/*.test.ts';

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
        // Real servers, hosts and terminals, with deadlines of their own: one file at a time, after the quick ones.
        extends: true,
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: [quick],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
