import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compactShell } from '../../src/steps/compact-shell.js';

/** The script as bash understands it, printed back from its syntax tree. */
function asBashReads(source: string): string {
  return execFileSync('bash', ['--posix', '-c', `subject() {\n${source}\n}\ndeclare -f subject`], { encoding: 'utf8' });
}

describe('compacted shell scripts', () => {
  it.each([
    ['whole-line comments and blank lines go', '# a\n\necho a\n  # b\necho b # c\n', 'echo a\necho b # c\n'],
    ['a here-document stays', "cat <<'X'\n# in\n\nX\n# out\n", "cat <<'X'\n# in\n\nX\n"],
    ['an indented here-document stays', 'cat <<-X\n\t# in\n\tX\n# out\ntrue\n', 'cat <<-X\n\t# in\n\tX\ntrue\n'],
    ['two here-documents stay', 'cat <<A <<B\n# 1\nA\n# 2\nB\n# out\n', 'cat <<A <<B\n# 1\nA\n# 2\nB\n'],
    ['a quoted string stays', "awk '\n# in\n\nEND {}'\n# out\n", "awk '\n# in\n\nEND {}'\n"],
    ['a double-quoted string stays', 'echo "\n# in\n$(\n# out\necho "x")"\n', 'echo "\n# in\n$(\necho "x")"\n'],
    ['a shift is no here-document', 'a=$((1 << 2))\n# out\ntrue\n', 'a=$((1 << 2))\ntrue\n'],
    ['$# and ${#x} are no comments', 'a="$#${#x}"\n# out\ntrue\n', 'a="$#${#x}"\ntrue\n'],
    ['a continued line keeps its next one', 'echo a \\\n# b\necho c\n', 'echo a \\\n# b\necho c\n'],
    [
      'a case pattern does not end a substitution',
      'a="$(case $b in c) echo "d";; esac)"\n# out it\'s\ntrue\n',
      'a="$(case $b in c) echo "d";; esac)"\ntrue\n',
    ],
    ['an apostrophe in a comment opens nothing', "# it's\necho 'a\n# in'\n", "echo 'a\n# in'\n"],
    ['an apostrophe in a quoted default opens nothing', 'a="${b:-it\'s}"\n# out\ntrue\n', 'a="${b:-it\'s}"\ntrue\n'],
  ])('%s', (_, source, expected) => {
    const compact = compactShell(source);

    expect(compact).toBe(expected);
    expect(asBashReads(compact)).toBe(asBashReads(source));
  });
});

describe('every shipped shell file', () => {
  const src = new URL('../../src/', import.meta.url).pathname;
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sh'));

  it.each(files)('%s means the same when compacted', (file) => {
    const source = readFileSync(join(src, file), 'utf8');

    const compact = compactShell(source);

    expect(asBashReads(compact)).toBe(asBashReads(source));
    expect(compact).not.toMatch(/^\n/m);
  });
});
