import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeProject } from '../support/opsctl.js';

/** `check.config` reads files that hold secrets which nobody declared. They must not show up anywhere. */
const canary = 'Canary-3f1c77e0';

describe('a check that hides what its probe prints', () => {
  const project = makeProject({
    'app.yaml': `port: 8080\npassword: ${canary}\nother: ${canary}\nfiller: "${'x'.repeat(6000)}"\n`,
  });
  project.write(
    'book.yaml',
    `name: Configuration
steps:
  - uses: check.config
    with:
      path: ${project.folder}/app.yaml
      values: [{ at: port, equals: 8080 }, { at: password, equals: other }]
  - uses: check.config
    with:
      path: ${project.folder}/app.yaml
      format: json
      values: [{ at: port }]
`,
  );
  afterAll(() => project.remove());

  it('keeps it out of the screen, the journal, the result and every file of the run', async () => {
    const { stdout, stderr, code } = await project.run(['run', 'book.yaml', '-o', 'json', '-v', '--debug']);
    const table = await project.run(['run', 'book.yaml', '-v']);

    expect(code).toBe(3);
    expect(stdout).toContain('password differs (15 characters, should be 5)');
    expect(stdout).toContain('"reason": "unreadable-file"');
    const kept = readdirSync(project.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(kept.length).toBeGreaterThan(1);
    for (const text of [stdout, stderr, table.stdout, table.stderr, ...kept]) expect(text).not.toContain(canary);
  });
});
