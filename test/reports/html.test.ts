import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { html } from '../../src/reports/html.js';
import type { RunResult } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { disk, hundredHosts, runResult, standings, stepResult, threeHosts } from '../support/results.js';
import { payloads, saying } from './hostile.js';

const print = (result: RunResult) => html.render(result, { color: false, width: 100, verbose: false });

describe('html', () => {
  it('has nothing to fetch, and runs and paints nothing but its own', () => {
    for (const result of [threeHosts(), hundredHosts(), standings(), runResult([]), ...payloads.map(saying)]) {
      const page = print(result);

      expect(page).not.toMatch(/<(?:link|img|iframe|object|embed|a|base|use|image)\b/i);
      const tags = page.replace(/<script>.*<\/script>/s, '').replace(/="[^"]*"/g, '=""');
      expect(tags).not.toMatch(/<[^>]*\s(?:src|href|style|on\w+|formaction)=/i);
      expect(page).not.toMatch(/@import|url\(/i);
      for (const kind of ['script', 'style']) {
        const own = [...page.matchAll(new RegExp(`<${kind}>(.*?)</${kind}>`, 'gs'))].map(([, text]) => text ?? '');
        const hash = createHash('sha256')
          .update(own[0] ?? '')
          .digest('base64');
        expect(own).toHaveLength(1);
        expect(page.match(new RegExp(`<${kind}`, 'g'))).toHaveLength(1);
        expect(page).toContain(`${kind}-src 'sha256-${hash}';`);
      }
      expect(page).toContain(`content="default-src 'none';`);
    }
  });

  it('shows good results that differ only in numbers as one row, and each host on its chart', () => {
    const page = print(hundredHosts());

    expect(page.match(/<td role="cell"><bdi>load [^<]*<\/bdi>/g)).toEqual([
      '<td role="cell"><bdi>load 0.1 … 0.7 per core</bdi>',
    ]);
    expect(page).toContain('<title>load5 0.1 to 0.7, warning above 2, critical above 4</title>');
  });

  it('puts what needs attention before the rest', () => {
    const page = print(hundredHosts());
    const places = ['<h2>Needs attention', 'web[30-33].example.com', '<h2 id="steps">Steps', '<h2>Hosts'].map((text) =>
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

  const browser = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    ...['--disable-component-update', '--disable-sync', '--allow-file-access-from-files'],
  ];
  const chromium = (...flags: readonly string[]) =>
    spawnSync('chromium', [...browser, `--user-data-dir=${join(folder, 'profile')}`, ...flags], {
      encoding: 'utf8',
      timeout: 60_000,
      maxBuffer: 1 << 26,
    });

  /**
   * The page as the browser understood it. `look` is the body of a function of a frame around the page, with the
   * page as `inside`, that returns what it found.
   */
  function inspect(page: string, width: number, look: string, scripts = true): unknown {
    writeFileSync(join(folder, 'report.html'), page);
    writeFileSync(
      join(folder, 'frame.html'),
      `<iframe src="report.html" ${scripts ? '' : 'sandbox="allow-same-origin"'} style="width:${width}px;height:900px;border:0"></iframe><script>
onload = () => {
  const inside = document.querySelector('iframe').contentDocument;
  const found = (() => {${look}})();
  document.body.textContent = 'found' + JSON.stringify(found) + 'end';
};
</script>`,
    );
    const { stdout } = chromium('--dump-dom', `file://${join(folder, 'frame.html')}`);
    return JSON.parse(/found(.*)end/s.exec(stdout)?.[1] ?? 'null');
  }

  const shape = `return {
    overflow: inside.documentElement.scrollWidth - inside.documentElement.clientWidth,
    articles: inside.querySelectorAll('article').length,
    foreign: inside.querySelectorAll('script ~ script, img, a, iframe, b b, article article').length,
    hosts: inside.querySelectorAll('details').length,
  }`;
  /** Fills in the form and says what is left to see. */
  const filtered = (given: object) => `
    const form = inside.getElementById('filter');
    for (const [name, value] of Object.entries(${JSON.stringify(given)})) form.elements[name].value = value;
    const started = performance.now();
    form.dispatchEvent(new Event('submit', { cancelable: true }));
    const seen = (selector) => [...inside.querySelectorAll(selector)].filter((element) => !element.hidden);
    return {
      articles: seen('article').map((element) => element.querySelector('h3 bdi').textContent),
      rows: seen('tbody tr').length,
      hosts: seen('details').map((element) => element.dataset.host),
      open: seen('details[open]').length,
      status: inside.getElementById('shown').textContent,
      slow: performance.now() - started > 5000,
    }`;

  it.each([360, 390, 1280])('fits a screen of %i pixels', { timeout: 90_000 }, (width) => {
    expect(inspect(print(hundredHosts()), width, shape)).toEqual({ overflow: 0, articles: 5, foreign: 0, hosts: 100 });
  });

  it('fits a phone and holds no element of a host, whatever hosts say', { timeout: 90_000 }, () => {
    const said = `${payloads.join(' ')} ${'מה'.repeat(300)} ${'x'.repeat(5_000)}`;

    expect(inspect(print(saying(said)), 360, shape)).toMatchObject({ overflow: 0, foreign: 0, hosts: 2 });
  });

  it('shows everything but the form where no script may run', { timeout: 90_000 }, () => {
    const look = `return {
      form: getComputedStyle(inside.getElementById('filter')).display,
      hidden: inside.querySelectorAll('main [hidden]').length,
      text: inside.body.innerText.includes('web[30-33].example.com'),
    }`;

    expect(inspect(print(hundredHosts()), 1280, look, false)).toEqual({ form: 'none', hidden: 0, text: true });
    expect(inspect(print(hundredHosts()), 1280, look)).toEqual({ form: 'flex', hidden: 0, text: true });
  });

  it('filters by host, step and result together, and opens the few hosts that are left', { timeout: 90_000 }, () => {
    const given = { host: 'WEB3', step: 'Disk space', outcome: 'failed' };

    expect(inspect(print(hundredHosts()), 1280, filtered(given))).toEqual({
      articles: ['Disk space'],
      rows: 1,
      hosts: [30, 31, 32, 33].map((number) => `web${number}.example.com`),
      open: 4,
      status: '4 of 391 results on 4 hosts',
      slow: false,
    });
  });

  it.each([
    [{ text: 'is BAD' }, ['accepted', 'expired', 'shaky', 'fresh', 'audit']],
    [{ standing: 'new' }, ['shaky', 'fresh', 'audit']],
    [{ standing: 'fixed' }, ['mended', 'audit']],
    [{ standing: 'waived' }, ['accepted', 'audit']],
    [{ standing: 'not waived', host: 'web1' }, ['expired', 'shaky', 'mended']],
    [{ outcome: 'soft' }, ['shaky']],
  ])('filters by %j', { timeout: 90_000 }, (given, steps) => {
    const look = `${filtered(given).replace('return {', 'return [{')}].map(() => seen('details .step').map((step) => step.dataset.step))[0]`;

    expect(inspect(print(standings()), 1280, look)).toEqual(steps);
  });

  it('shows everything again', { timeout: 90_000 }, () => {
    const look = `${filtered({ host: 'nobody' }).replace('return {', 'const nothing = {')};
      for (const input of form.querySelectorAll('input, select')) input.value = '';
      form.dispatchEvent(new Event('submit', { cancelable: true }));
      return { before: nothing.hosts.length + nothing.articles.length, after: inside.querySelectorAll('main [hidden]').length, open: seen('details[open]').length };`;

    expect(inspect(print(hundredHosts()), 1280, look)).toEqual({ before: 0, after: 0, open: 0 });
  });

  it('bears 5,000 rows', { timeout: 120_000 }, () => {
    const steps = (host: number) =>
      Array.from({ length: 50 }, (_, index) => ({ ...disk(((host * 7 + index) % 95) / 100), step: `s${index}` }));
    const hosts = Array.from({ length: 100 }, (_, index) => ({ name: `web${index}`, steps: steps(index) }));

    expect(inspect(print(runResult(hosts)), 360, filtered({ host: 'web7', outcome: 'failed' }))).toMatchObject({
      slow: false,
      status: expect.stringMatching(/^\d+ of 5000 results on \d+ hosts$/),
    });
  });

  it('can be told by its names and roles, on a phone, too', { timeout: 90_000 }, () => {
    const look = `return {
      unnamed: [...inside.querySelectorAll('input, select')].filter((field) => !field.labels?.[0]?.textContent && field.type !== 'hidden').length,
      charts: [...inside.querySelectorAll('svg')].filter((chart) => !chart.querySelector('title')?.textContent && chart.getAttribute('aria-hidden') !== 'true').length,
      table: inside.querySelectorAll('[role=table] > [role=rowgroup] > [role=row] > [role=rowheader][scope=row]').length > 0,
      headings: [...inside.querySelectorAll('h1, h2, h3')].map((heading) => heading.tagName).join(' '),
    }`;

    expect(inspect(print(hundredHosts()), 360, look)).toEqual({
      unnamed: 0,
      charts: 0,
      table: true,
      headings: 'H1 H2 H3 H3 H3 H3 H3 H2 H2',
    });
  });

  it('shows what has the focus, not below the form that stays on top', { timeout: 90_000 }, () => {
    const look = `
      const summary = inside.querySelectorAll('summary')[20];
      inside.defaultView.scrollBy(0, summary.getBoundingClientRect().top - 10);
      summary.focus();
      const [form, focused] = [inside.getElementById('filter'), summary].map((element) => element.getBoundingClientRect());
      return { sticks: form.top === 0, clear: focused.top >= form.bottom };`;

    expect(inspect(print(hundredHosts()), 1280, look)).toEqual({ sticks: true, clear: true });
  });

  it.each(['light', 'dark'])('has text of enough contrast in %s', { timeout: 90_000 }, (scheme) => {
    const look = `
      const light = (color) => {
        const [red, green, blue] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const behind = (element) => {
        const color = getComputedStyle(element).backgroundColor;
        return color === 'rgba(0, 0, 0, 0)' && element.parentElement ? behind(element.parentElement) : color;
      };
      const poor = [...inside.querySelectorAll('body *')]
        .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
        .filter((element) => element.closest('main, header, footer, form') && !element.closest('svg, option, datalist'))
        .map((element) => [element, light(getComputedStyle(element).color), light(behind(element))])
        .map(([element, a, b]) => [element.className || element.tagName, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)])
        .filter(([, contrast]) => contrast < 4.5);
      return { poor: [...new Set(poor.map(([name]) => name))], dark: light(getComputedStyle(inside.body).backgroundColor) < 0.1 };`;
    const page = print(hundredHosts()).replace(
      '(prefers-color-scheme: dark)',
      scheme === 'dark' ? '(min-width: 0)' : '(max-width: 0)',
    );
    const unlocked = page.replace(/ style-src [^;]*;/, " style-src 'unsafe-inline';");

    expect(inspect(unlocked, 1280, look)).toEqual({ poor: [], dark: scheme === 'dark' });
  });
});

describeWith('html on paper', ['chromium', 'pdftotext'], () => {
  it('has every host unfolded, and no form', { timeout: 90_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'opsctl-paper-'));
    writeFileSync(join(folder, 'report.html'), print(threeHosts()));
    spawnSync(
      'chromium',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--no-pdf-header-footer'],
        `--user-data-dir=${join(folder, 'profile')}`,
        `--print-to-pdf=${join(folder, 'report.pdf')}`,
        `file://${join(folder, 'report.html')}`,
      ],
      { timeout: 60_000 },
    );
    const text = execFileSync('pdftotext', [join(folder, 'report.pdf'), '-'], { encoding: 'utf8' });
    rmSync(folder, { recursive: true, force: true });

    expect(text).toContain('up 12 days');
    expect(text.match(/check\.load, 250 ms/g)).toHaveLength(3);
    expect(text).not.toContain('Show all');
  });
});
