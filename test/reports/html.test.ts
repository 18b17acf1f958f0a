import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { html } from '../../src/reports/html.js';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { hundredHosts, runResult, stepResult, threeHosts } from '../support/results.js';
import { payloads, saying } from './hostile.js';

const print = (result: RunResult) => html.render(result, { color: false, width: 100, verbose: false });

describe('html', () => {
  it('has nothing to fetch and nothing that runs', () => {
    for (const result of [threeHosts(), hundredHosts(), runResult([]), ...payloads.map(saying)]) {
      const page = print(result);

      expect(page).not.toMatch(/<(?:script|link|img|iframe|object|embed|form|a|base|svg)\b/i);
      expect(page).not.toMatch(/<[^>]*\s(?:src|href|style|on\w+)=/i);
      expect(page).not.toMatch(/@import|url\(/i);
      expect(page).toContain(`default-src 'none'`);
    }
  });

  it('puts what needs attention before the rest', () => {
    const page = print(hundredHosts());
    const places = ['<h2>Needs attention', 'web[30-33].example.com', '<h2>Steps', '<h2>Hosts'].map((text) =>
      page.indexOf(text),
    );

    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('says that nothing was changed in a dry run', () => {
    expect(print(runResult([], { mode: 'dry-run' }))).toContain('nothing was changed');
  });

  it('shows the end of a long output and how much is missing', () => {
    const stdout = `start ${'x'.repeat(30_000)} end`;
    const page = print(
      runResult([{ name: 'web1', steps: [stepResult({ uses: 'run.command', evidence: { exitStatus: 0, stdout } })] }]),
    );

    expect(page).toContain('10010 characters before this left out');
    expect(page).toContain('x end</pre>');
    expect(page).not.toContain('start x');
  });
});

describeWith('html as libxml2 reads it', ['xmllint'], () => {
  it('keeps the text of a host as text', () => {
    const text = `<b onclick="x">&amp; 'a' </pre></details> ]]>`;
    const page = execFileSync('xmllint', ['--html', '--xpath', 'string((//article/pre)[1])', '-'], {
      input: print(saying(text)),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });

    expect(page.trim()).toBe(text);
  });
});

describeWith('html in a browser', ['chromium'], () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'opsctl-html-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The page as the browser understood it, with what a script in this frame, not in the page, found out. */
  function inspect(page: string, width: number): Readonly<Record<string, number>> {
    writeFileSync(join(folder, 'report.html'), page);
    writeFileSync(
      join(folder, 'frame.html'),
      `<iframe src="report.html" style="width:${width}px;height:900px;border:0"></iframe><script>
onload = () => {
  const inside = document.querySelector('iframe').contentDocument;
  document.body.textContent = 'found' + JSON.stringify({
    overflow: inside.documentElement.scrollWidth - inside.documentElement.clientWidth,
    articles: inside.querySelectorAll('article').length,
    foreign: inside.querySelectorAll('script, img, a, iframe, b b, article article').length,
    hosts: inside.querySelectorAll('details').length,
  }) + 'end';
};
</script>`,
    );
    const { stdout } = spawnSync(
      'chromium',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
        ...['--disable-component-update', '--disable-sync', '--allow-file-access-from-files'],
        `--user-data-dir=${join(folder, 'profile')}`,
        '--dump-dom',
        `file://${join(folder, 'frame.html')}`,
      ],
      { encoding: 'utf8', timeout: 60_000 },
    );
    return JSON.parse(/found(.*)end/.exec(stdout)?.[1] ?? 'null');
  }

  it.each([390, 1280])('fits a screen of %i pixels', { timeout: 90_000 }, (width) => {
    expect(inspect(print(hundredHosts()), width)).toEqual({ overflow: 0, articles: 5, foreign: 0, hosts: 100 });
  });

  it('fits a phone and holds no element of a host, whatever hosts say', { timeout: 90_000 }, () => {
    expect(inspect(print(saying(payloads.join(' '))), 390)).toMatchObject({ overflow: 0, foreign: 0, hosts: 2 });
  });
});
