import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.js';
import { nagiosExit } from '../../src/reports/nagios.js';
import { type RunResult, resultSchema } from '../../src/result/result.schema.js';
import { describeWith } from '../support/needs.js';
import { disk, hundredHosts, runResult, standings, stepResult, threeHosts } from '../support/results.js';
import { runnerCommands } from '../support/runner.js';
import { readCsv } from './csv.js';
import { readExposition } from './exposition.js';
import { readGitlab } from './gitlab.js';
import { longLine, payloads, saying } from './hostile.js';
import { pluginOutput } from './plugin.js';
import { readSarif } from './sarif.js';
import { readTap } from './tap.js';

const view = { color: false, width: 100, verbose: false };
const formats = Object.keys(reports);

async function render(format: string, result: RunResult, changes: Partial<typeof view> = {}): Promise<string> {
  const report = await reports[format]?.();
  if (!report) throw new Error(`no format ${format}`);
  return report.render(result, { ...view, ...changes });
}

describe('every format', () => {
  it.each(formats)('%s says what it is for, under its own name', async (format) => {
    const report = await reports[format]?.();

    expect(report?.name).toBe(format);
    expect(report?.summary).toMatch(/^[A-Z].{10,100}[^.]$/);
  });

  it.each(formats)('%s of three hosts is as it was', async (format) => {
    await expect(await render(format, threeHosts())).toMatchFileSnapshot(`golden/3-hosts.${format}.txt`);
  });

  it.each(formats)('%s says what is accepted, new, fixed and not yet counted', async (format) => {
    const text = await render(format, standings());

    await expect(text).toMatchFileSnapshot(`golden/standings.${format}.txt`);
    expect(text).toMatch(/waived/);
  });

  it.each(['table', 'markdown', 'github', 'nagios'])('%s of 100 hosts is as it was', async (format) => {
    await expect(await render(format, hundredHosts())).toMatchFileSnapshot(`golden/100-hosts.${format}.txt`);
  });

  it.each([80, 200])('table of 100 hosts is as it was at %i columns', async (width) => {
    const text = await render('table', hundredHosts(), { width });

    await expect(text).toMatchFileSnapshot(`golden/100-hosts.table-${width}.txt`);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it.each(formats)('%s has something to say about a run without hosts', async (format) => {
    expect((await render(format, runResult([]))).trim()).not.toBe('');
  });

  it.each(formats)('%s does not depend on anything but the result', async (format) => {
    expect(await render(format, hundredHosts())).toBe(await render(format, structuredClone(hundredHosts())));
  });
});

for (const format of formats)
  describeWith(`hostile host output in ${format}`, format === 'junit' ? ['xmllint'] : [], () => {
    const harmless = format === 'github' ? ['error', 'warning', 'stop-commands'] : [];

    it.each(payloads.map((payload) => [payload]))('is harmless: %j', async (payload) => {
      const text = await render(format, saying(payload));
      const lines = format === 'csv' ? text.replaceAll('\r\n', '\n') : text;

      expect(lines).toMatch(/^[\n\t\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u);
      expect(lines).not.toMatch(/\p{Default_Ignorable_Code_Point}/u);
      expect(runnerCommands(text).filter((command) => !harmless.includes(command))).toEqual([]);
      readBack(format, text);
    });

    it('is bearable when it is a line of a megabyte', async () => {
      const started = performance.now();
      const text = await render(format, saying(longLine));

      expect(performance.now() - started).toBeLessThan(30_000);
      if (format === 'nagios') expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
      if (format === 'markdown') expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
      readBack(format, text);
    });
  });

const ownColour = new RegExp(`${String.fromCharCode(27)}\\[\\d{1,2}m`, 'g');

describe('colour in the table', () => {
  it('is ours alone', async () => {
    for (const payload of payloads) {
      const text = await render('table', saying(payload), { color: true });
      const ours = text.replace(ownColour, '');

      expect(ours).toMatch(/^[\n\t\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u);
      expect(runnerCommands(text)).toEqual([]);
    }
  });
});

function readBack(format: string, text: string): void {
  switch (format) {
    case 'json':
      expect(validateResult(JSON.parse(text))).toBe(true);
      break;
    case 'ndjson':
      for (const line of text.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('type');
      break;
    case 'junit':
      lint(text);
      break;
    case 'nagios':
      expect(pluginOutput(text).state).toMatch(/^(OK|WARNING|CRITICAL|UNKNOWN)$/);
      break;
    case 'tap':
      expect(readTap(text).map(({ description }) => description)).toEqual(['web1', 'web2']);
      break;
    case 'csv':
      expect(readCsv(text).map(({ host }) => host)).toEqual([...Array(6).fill('web1'), 'web2']);
      break;
    case 'prometheus':
      expect(readExposition(text).get('opsctl_run_exit_code')).toHaveLength(1);
      break;
    case 'gitlab':
      expect(readGitlab(text).length).toBeGreaterThanOrEqual(5);
      break;
    case 'sarif':
      expect(readSarif(text).results.length).toBeGreaterThanOrEqual(5);
      break;
    case 'html':
      expect(text).toMatch(/^<!doctype html>\n.*<\/html>\n$/s);
      expect(text).not.toMatch(/<(?:img|a|iframe)\b/i);
      expect(text.match(/<script/g)).toHaveLength(1);
      break;
    case 'github':
      expect(text.split('\n').filter((line) => line.startsWith('::error ')).length).toBeLessThanOrEqual(10);
      break;
  }
}

const validateResult = new Ajv({ strict: false }).compile(resultSchema);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'opsctl-reports-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const xsd = fileURLToPath(new URL('./junit.xsd', import.meta.url));

/** libxml2 as the parser, and the schema. */
function lint(xml: string): void {
  const file = join(folder, 'report.xml');
  writeFileSync(file, xml);
  execFileSync('xmllint', ['--noout', '--huge', '--schema', xsd, file], { stdio: ['ignore', 'ignore', 'pipe'] });
}

describe('json', () => {
  it('fits the published schema', async () => {
    for (const result of [threeHosts(), hundredHosts(), standings(), runResult([])]) {
      expect(validateResult(JSON.parse(await render('json', result)))).toBe(true);
      expect(JSON.parse(await render('json', result))).toEqual(result);
    }
  });
});

describe('ndjson', () => {
  it('has a record for the run, each host, each step, and the end with the exit', async () => {
    const records = (await render('ndjson', threeHosts()))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

    expect(records.map(({ type }) => type)).toEqual([
      'run',
      ...['host', 'step', 'step', 'step', 'host', 'step', 'step', 'step', 'host', 'step', 'step', 'step'],
      'end',
    ]);
    expect(records.at(-1)).toMatchObject({ exit: { code: 1 }, totals: { failed: 1 } });
    expect(records[2]).toMatchObject({ type: 'step', host: 'web1', step: 'disk', outcome: 'ok' });
  });
});

describeWith('junit', ['xmllint'], () => {
  const query = (xml: string, path: string) => {
    const file = join(folder, 'query.xml');
    writeFileSync(file, xml);
    return execFileSync('xmllint', ['--xpath', path, file], { encoding: 'utf8' }).trim();
  };

  it('fits the schema for every sample', async () => {
    for (const result of [threeHosts(), hundredHosts(), standings(), runResult([])])
      lint(await render('junit', result));
  });

  it('counts failures, errors and skipped steps', async () => {
    const xml = await render('junit', hundredHosts());

    expect(query(xml, 'string(/testsuites/@failures)')).toBe('6');
    expect(query(xml, 'string(/testsuites/@errors)')).toBe('7');
    expect(query(xml, 'count(//failure)')).toBe('6');
    expect(query(xml, 'count(//error)')).toBe('7');
    expect(query(xml, 'string(//testsuite[@name="db5"]//failure/@message)')).toBe('ssh.service is failed');
  });

  it('keeps the text of a host, line by line', async () => {
    const text = 'a <b> & "c"\n\tå ]]>\n';
    const xml = await render('junit', saying(text));

    expect(query(xml, 'string((//testcase/system-err)[1])')).toBe(text.trim());
    expect(query(xml, 'string((//failure/@message)[1])')).toBe(text.trim());
  });

  it('never writes an exponent or a negative time', async () => {
    const steps = [1.2e-5, 1e-9, 1e21, -3, Number.NaN].map((duration, index) =>
      stepResult({ step: String(index), duration }),
    );

    lint(await render('junit', runResult([{ name: 'web1', steps }], { duration: 1e-7 })));
  });

  it('is red when the run is, even if no step is', async () => {
    const result = runResult([{ name: 'web1', steps: [stepResult({ outcome: 'skipped' })] }]);

    expect(result.exit.code).toBe(3);
    expect(query(await render('junit', result), 'string(//error/@type)')).toBe('nothing-proven');
  });

  it('counts a warning as a failure only when the run does', async () => {
    const result = runResult([{ name: 'web1', steps: [stepResult({ outcome: 'warning' })] }]);
    const strict = { ...result, exit: { code: 1, reasons: [{ code: 1, reason: 'warning', hosts: 1 }] } };

    expect(query(await render('junit', result), 'count(//failure)')).toBe('0');
    expect(query(await render('junit', strict), 'count(//failure)')).toBe('1');
  });

  it('does not fail a step that its rescue steps made good', async () => {
    const steps = [stepResult({ outcome: 'failed', rescued: true }), stepResult({ step: 'rescue' })];
    const xml = await render('junit', runResult([{ name: 'web1', steps }]));

    expect(query(xml, 'count(//failure)')).toBe('0');
    expect(query(xml, 'string(//system-out)')).toContain('rescued');
  });

  it('gives two steps of one name two names', async () => {
    const steps = ['1', '2', '3'].map((step) => stepResult({ step, name: 'Check' }));
    const xml = await render('junit', runResult([{ name: 'web1', steps }]));
    const names = [1, 2, 3].map((place) => query(xml, `string((//testcase/@name)[${place}])`));

    expect(new Set(names).size).toBe(3);
  });
});

describe('nagios', () => {
  it('reads as a plug-in with its numbers, ratios as per cent with their ranges', async () => {
    const { state, text, perf } = pluginOutput(await render('nagios', threeHosts()));

    expect(state).toBe('CRITICAL');
    expect(text).toBe('Host health: web2 Disk space: / is 97% full, limit is 90% and 1 more');
    expect(perf.get('web2 disk used{/}')).toEqual({
      value: '97',
      unit: '%',
      warning: '80',
      critical: '90',
      min: '0',
      max: '100',
    });
    expect(perf.get('web1 load uptime')).toEqual({ value: '1036800', unit: 's' });
  });

  it('has each label once, and says that a number is left out', async () => {
    const metrics = ['a', 'b=c', 'b_c', 'a', "it's"].map((name, value) => ({ name, value, unit: 'count' as const }));
    const text = await render('nagios', runResult([{ name: 'web1', steps: [stepResult({ metrics })] }]));

    expect([...pluginOutput(text).perf].map(([label, { value }]) => [label, value]).slice(1)).toEqual([
      ['disk a', '0'],
      ['disk b_c', '1'],
      ['disk it_s', '4'],
    ]);
    expect(text).toContain('\n2 numbers left out\n');
  });

  it('leaves the host out of its labels when there is one', async () => {
    const { state, perf } = pluginOutput(await render('nagios', runResult([{ name: 'web1', steps: [disk(0.4)] }])));

    expect(state).toBe('OK');
    expect([...perf.keys()]).toEqual(['hosts_ok', 'disk used{/}']);
  });

  it('stays below 4 kB and says what it left out', async () => {
    const output = await render('nagios', hundredHosts());

    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(4096);
    expect(output).toMatch(/^\d+ numbers left out$/m);
    expect(output.split('\n')[0]?.split('|')[0]?.length).toBeLessThanOrEqual(200);
  });

  it('scales and keeps every kind of range, and writes no exponent', async () => {
    const metric = (name: string, changes: object) => ({ name, value: 0.5, unit: 'ratio' as const, ...changes });
    const metrics = [
      metric('a', { warning: '@0.1:0.2', critical: '~:0.9' }),
      metric('b', { warning: '0.1:', critical: '-0.5:0.5' }),
      metric('c', { value: 0.07, warning: '0.07' }),
      metric('d', { value: 1e-7, unit: 'seconds' }),
      metric('e', { value: 1.5e21, unit: 'bytes', max: 2 ** 70 }),
      metric('f', { value: Number.NaN, unit: 'count' }),
    ];
    const { perf } = pluginOutput(
      await render('nagios', runResult([{ name: 'web1', steps: [stepResult({ step: 's', metrics })] }])),
    );

    expect(perf.get('s a')).toMatchObject({ value: '50', warning: '@10:20', critical: '~:90' });
    expect(perf.get('s b')).toMatchObject({ warning: '10:', critical: '-50:50' });
    expect(perf.get('s c')).toMatchObject({ value: '7', warning: '7' });
    expect(perf.get('s d')).toMatchObject({ value: '0.0000001', unit: 's' });
    expect(perf.get('s e')).toMatchObject({ value: '1500000000000000000000', unit: 'B' });
    expect(perf.get('s f')).toMatchObject({ value: 'U' });
  });

  it.each([
    ['ok', 0],
    ['changed', 0],
    ['warning', 1],
    ['failed', 2],
    ['refused', 2],
    ['unknown', 3],
    ['unreachable', 3],
    ['skipped', 3],
  ] as const)('ends a run with a step that is %s with %i', (outcome, code) => {
    expect(nagiosExit(runResult([{ name: 'web1', steps: [stepResult({ outcome })] }]))).toBe(code);
  });

  it('ends critical when one host failed and another is unknown', () => {
    const hosts = (['failed', 'unknown'] as const).map((outcome) => ({
      name: outcome,
      steps: [stepResult({ outcome })],
    }));

    expect(nagiosExit(runResult(hosts))).toBe(2);
  });
});

describeWith('the plug-in grammar of these tests', ['check_dummy'], () => {
  it.each([
    ['check_load', ['-w', '50,40,30', '-c', '100,60,40']],
    ['check_disk', ['-w', '20%', '-c', '10%', '-p', '/']],
    ['check_procs', ['-w', '1:250000']],
    ['check_users', ['-w', '500', '-c', '1000']],
  ])('reads the output of %s', (program, args) => {
    const output = execFileSync(`/usr/lib/nagios/plugins/${program}`, args, { encoding: 'utf8' });

    expect(pluginOutput(output).perf.size).toBeGreaterThan(0);
  });
});

describeWith('markdown, read as GitHub reads it,', ['cmark-gfm'], () => {
  it('has no link, picture, mention, issue or markup of a host in it, and four cells a row', async () => {
    for (const payload of payloads) {
      const html = execFileSync(
        'cmark-gfm',
        ['-e', 'autolink', '-e', 'table', '-e', 'strikethrough', '-e', 'tasklist'],
        {
          input: await render('markdown', saying(payload)),
          encoding: 'utf8',
        },
      );
      const tags = [...html.matchAll(/<\/?([a-z]\w*|!--)/gi)].map(([, tag = '']) => tag);
      const rows = html.match(/<tr>[\s\S]*?<\/tr>/g) ?? [];
      // Code is not looked through for names.
      const text = html.replace(/<(pre|code)\b[\s\S]*?<\/\1>/g, '').replace(/<[^>]*>/g, ' ');

      expect(
        tags.filter((tag) => !/^(h[2-4]|p|br|strong|ul|li|blockquote|code|pre|t[rdh]|table|thead|tbody)$/.test(tag)),
      ).toEqual([]);
      expect([...new Set(rows.map((row) => row.match(/<t[dh]>/g)?.length))]).toEqual([4]);
      expect(text).not.toMatch(/@\w|#\d|\bGH-\d/i);
    }
  });
});

describe('html', () => {
  it('counts one host and one step in words', async () => {
    const text = await render('html', runResult([{ name: 'web1', steps: [stepResult({})] }]));

    expect(text).toContain('<b>1</b> host<');
    expect(text).toContain('<b>1</b> step<');
  });
});

describe('markdown', () => {
  it('stays below 1 MiB and says what is cut', async () => {
    const hosts = Array.from({ length: 60 }, (_, index) => ({
      name: `web${index}`,
      steps: [
        stepResult({
          outcome: 'failed' as const,
          summary: `failure number ${index} of many`,
          evidence: { exitStatus: 1, stderr: `${index} ${'é'.repeat(20_000)}\n` },
        }),
      ],
    }));
    const text = await render('markdown', runResult(hosts));

    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
    expect(text).toMatch(/Cut at 1 MiB: \d+ of \d+ sections left out/);
  });
});

describe('github', () => {
  it('shows ten annotations of a type and how many more there are', async () => {
    const hosts = Array.from({ length: 30 }, (_, index) => ({
      name: `web${index}`,
      steps: [stepResult({ outcome: 'failed' as const, reason: `reason-${index}`, summary: `failure ${index}` })],
    }));
    const errors = (await render('github', runResult(hosts))).split('\n').filter((line) => line.startsWith('::error '));

    expect(errors).toHaveLength(10);
    expect(errors[9]).toContain('title=21 more::');
  });

  it('names the runbook as GitHub does, from the root of the repository', async () => {
    const failed = [{ name: 'web1', steps: [stepResult({ outcome: 'failed' as const })] }];

    expect(await render('github', runResult(failed, { file: './runbooks/a,b.yaml' }))).toMatch(
      /^::error file=runbooks\/a%2Cb\.yaml,title=/,
    );
    expect(await render('github', runResult(failed, { file: '../a.yaml' }))).toMatch(/^::error title=/);
  });

  it('stops listening before it shows what hosts said, with a token of this result', async () => {
    const text = await render('github', threeHosts());
    const [, token] = /^::stop-commands::([0-9a-f]{32})$/m.exec(text) ?? [];

    expect(text).toContain(`::${token}::\n`);
    expect(await render('github', hundredHosts())).not.toContain(token);
  });

  it('leaves out a file that is not in the repository', async () => {
    const result = threeHosts();
    const elsewhere = { ...result, run: { ...result.run, file: '/etc/opsctl/health.yaml' } };

    expect(await render('github', elsewhere)).not.toContain('file=');
  });
});

describe('what a probe printed', () => {
  const evidence = { exitStatus: 0, stdout: 'load 18.5 22.3 13.8\ncores 2\n', stderr: '' };
  const of = (changes: Parameters<typeof stepResult>[0]) =>
    runResult([{ name: 'web1', steps: [stepResult({ outcome: 'failed', evidence, ...changes })] }]);

  it.each(['table', 'markdown'])('is left out of the %s when it was understood', async (format) => {
    expect(await render(format, of({ uses: 'check.load' }))).not.toContain('cores 2');
  });

  it.each(['table', 'markdown'])(
    'is in the %s when it was not, or when it is a command of the author',
    async (format) => {
      expect(await render(format, of({ uses: 'check.load', outcome: 'unknown' }))).toContain('cores 2');
      expect(await render(format, of({ uses: 'run.command' }))).toContain('cores 2');
      expect(await render(format, of({ uses: 'check.command' }))).toContain('cores 2');
    },
  );
});
