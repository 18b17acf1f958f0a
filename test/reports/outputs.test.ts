import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemLine, UserError } from '../../src/errors.js';
import { exitFor, parseOutputs, writeOutputs } from '../../src/reports/outputs.js';
import { quietSummary } from '../../src/reports/quiet.js';
import { writeWholeFile } from '../../src/reports/write-file.js';
import { describeWith } from '../support/needs.js';
import { disk, hundredHosts, runResult, threeHosts } from '../support/results.js';
import { fakeTerminal } from '../support/terminal.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opsctl-outputs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.problems.map(problemLine).join('\n');
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseOutputs', () => {
  it('reads formats, files and the dash', () => {
    expect(parseOutputs(['table', 'junit=out.xml', 'json=a=b.json'])).toEqual([
      { format: 'table' },
      { format: 'junit', file: 'out.xml' },
      { format: 'json', file: 'a=b.json' },
    ]);
    expect(parseOutputs(['json=-'])).toEqual([{ format: 'json' }]);
    expect(parseOutputs([])).toEqual([{ format: 'table' }]);
  });

  it('says what was meant by an unknown format', () => {
    expect(errorOf(() => parseOutputs(['jnit=x']))).toMatch(
      /^E_OUTPUT_FORMAT unknown report format "jnit"; did you mean "junit"\? formats are table, json, /,
    );
    expect(errorOf(() => parseOutputs(['toString']))).toMatch(
      /^E_OUTPUT_FORMAT unknown report format "toString"; formats/,
    );
  });

  it('names all mistakes at once', () => {
    expect(errorOf(() => parseOutputs(['table', 'json', 'junit=', 'nagios=a', 'markdown=a'])).split('\n')).toEqual([
      'E_OUTPUT_FILE `-o junit=` names no file; write `-o junit=FILE`',
      'E_OUTPUT_TWICE table and json cannot share standard output; give all but one a file: `-o json=FILE`',
      'E_OUTPUT_TWICE two reports would be written to a; choose another file for one of them',
    ]);
  });
});

describe('writeOutputs', () => {
  it('writes one report to stdout and the others to files', async () => {
    const terminal = fakeTerminal();

    await writeOutputs(threeHosts(), parseOutputs(['table', `junit=${folder}/a.xml`]), terminal, writeWholeFile);

    expect(terminal.stdout()).toContain('exit 1: failed on 1 host');
    expect(readFileSync(join(folder, 'a.xml'), 'utf8')).toContain('<testsuites');
  });

  it('goes on after a file that cannot be written, and ends with 74', async () => {
    const terminal = fakeTerminal();
    const outputs = parseOutputs([`json=${folder}/missing/a.json`, `junit=${folder}/b.xml`, 'table']);

    const error = await writeOutputs(threeHosts(), outputs, terminal, writeWholeFile).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ exit: 74, problems: [{ code: 'E_OUTPUT' }] });
    expect(error.message).toContain('missing/a.json');
    expect(terminal.stdout()).not.toBe('');
    expect(readdirSync(folder)).toEqual(['b.xml']);
  });

  it('still writes the files when stdout is full', async () => {
    const outputs = parseOutputs(['table', `junit=${folder}/b.xml`]);

    await expect(
      writeOutputs(threeHosts(), outputs, fakeTerminal({ full: true }), writeWholeFile),
    ).rejects.toMatchObject({
      exit: 74,
    });
    expect(readdirSync(folder)).toEqual(['b.xml']);
  });

  it('gives colour to a screen, not to a machine format and not to a file', async () => {
    const screen = () => fakeTerminal({ stdoutIsTty: true, color: true });
    const [first, second] = [screen(), screen()];

    await writeOutputs(threeHosts(), parseOutputs(['table', `markdown=${folder}/a.md`]), first, writeWholeFile);
    await writeOutputs(threeHosts(), parseOutputs(['github', `table=${folder}/a.txt`]), second, writeWholeFile);

    expect(first.stdout()).toContain('\u001b[31m');
    expect(second.stdout()).not.toContain('\u001b');
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).not.toContain('\u001b');
  });
});

describe('exitFor', () => {
  it('is the code of the run, and 0 to 3 only where a monitoring daemon reads stdout', () => {
    const result = hundredHosts();

    expect(exitFor(result, parseOutputs(['table', 'nagios=x']))).toBe(5);
    expect(exitFor(result, parseOutputs(['nagios']))).toBe(2);
  });
});

describe('writeWholeFile', () => {
  it('makes a file of mode 0600, also in place of an open one and under any umask', async () => {
    const file = join(folder, 'report.json');
    writeFileSync(file, 'old', { mode: 0o644 });
    chmodSync(file, 0o644);
    const umask = process.umask(0o777);
    try {
      await writeWholeFile(file, 'new');
    } finally {
      process.umask(umask);
    }

    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['report.json']);
  });

  it('does not follow a symbolic link', async () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(folder, 'report.json'));

    await expect(writeWholeFile(join(folder, 'report.json'), 'new')).rejects.toThrow('a symbolic link is there');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  it('does not replace a device or a folder', async () => {
    mkdirSync(join(folder, 'folder'));

    await expect(writeWholeFile(join(folder, 'folder'), 'new')).rejects.toThrow('no regular file');
    await expect(writeWholeFile('/dev/null', 'new')).rejects.toThrow('no regular file');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('writes all of a large text', async () => {
    const text = 'ä'.repeat(5_000_000);

    await writeWholeFile(join(folder, 'large'), text);

    expect(statSync(join(folder, 'large')).size).toBe(10_000_000);
  });
});

describeWith('writeWholeFile on a full disk', ['root', 'unshare'], () => {
  it('leaves the old report as it was and no other file', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      const file = join(folder, 'report.json');
      await writeWholeFile(file, 'old');

      await expect(writeWholeFile(file, 'x'.repeat(200_000))).rejects.toThrow(/ENOSPC/);
      expect(readFileSync(file, 'utf8')).toBe('old');
      expect(readdirSync(folder)).toEqual(['report.json']);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

describe('quietSummary', () => {
  it('says nothing about a green run, warnings or not', () => {
    expect(quietSummary(runResult([{ name: 'web1', steps: [disk(0.5), disk(0.85)] }]))).toBe('');
  });

  it('says in a few lines what is wrong and how to see more', () => {
    expect(quietSummary(hundredHosts()).split('\n')).toEqual([
      'opsctl: Host health: exit 5: refused on 1 host, unknown on 4 hosts, failed on 6 hosts, unreachable on 2 hosts',
      'failed web[30-33].example.com: Disk space: / is 97% full, limit is 90%',
      'failed db5 web55.example.com: sshd answers: ssh.service is failed',
      'unknown web[03,28,53,78].example.com: Clock: neither chronyc nor timedatectl is there',
      'refused web42.example.com: Connection: the ssh-ed25519 key is not the one in known_hosts:7',
      'unreachable web[17-18].example.com: Connection: no answer from <address> port 22 within 5 s',
      'see: opsctl report 20260302T040506Z-7f3a9c',
      '',
    ]);
  });

  it('never needs more than 20 lines', () => {
    const hosts = Array.from({ length: 60 }, (_, index) => ({
      name: `h${index}`,
      trouble: { outcome: 'unreachable' as const, reason: `r${index}`, summary: 'x'.repeat(1000) },
    }));
    const text = quietSummary(runResult(hosts));

    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    expect(text).toContain('and 44 more results');
  });
});
