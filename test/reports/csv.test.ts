import { describe, expect, it } from 'vitest';
import { csv } from '../../src/reports/csv.js';
import type { RunResult } from '../../src/result/result.schema.js';
import { hundredHosts, runResult, standings, stepResult, threeHosts } from '../support/results.js';
import { readCsv } from './csv.js';
import { payloads, saying } from './hostile.js';

const print = (result: RunResult) => csv.render(result, { color: false, width: 100, verbose: false });

describe('csv', () => {
  it('has a row a step and host', () => {
    const rows = readCsv(print(threeHosts()));

    expect(rows).toHaveLength(9);
    expect(rows[3]).toMatchObject({
      host: 'web2',
      step: 'disk',
      outcome: 'failed',
      summary: '/ is 97% full, limit is 90%',
      findings: 'high: /: 97% of 20 GiB used',
      metrics: 'used{/}=0.97 ratio',
      seconds: '0.250',
    });
  });

  it('has a row for a host that nobody could work on', () => {
    const row = readCsv(print(hundredHosts())).find(({ host }) => host === 'web42.example.com');

    expect(row).toMatchObject({ step: 'connection', outcome: 'refused', reason: 'host-key-mismatch' });
  });

  it('says what is accepted, new, fixed, not yet to be counted, and covered', () => {
    const rows = readCsv(print(standings())).map(({ step, waived, change, soft }) => [step, waived, change, soft]);

    expect(rows).toEqual([
      ['accepted', 'waived by anna until 2026-03-31: new disks arrive, OPS-7', 'still', ''],
      ['expired', '', 'still', ''],
      ['shaky', '', 'new', '1 of 3'],
      ['mended', '', 'fixed', ''],
      ['fresh', '', 'new', ''],
      ['audit', '', 'still', ''],
      ['connection', '', '', ''],
    ]);
    const rescued = { outcome: 'failed', rescued: true } as const;
    const steps = [stepResult(rescued), stepResult({ ...rescued, covered: true }), stepResult()];
    const said = readCsv(print(runResult([{ name: 'web1', steps }]))).map((row) => row.rescued);
    expect(said).toEqual(['yes', 'covered', '']);
  });

  it('has no formula, not even for a spreadsheet that ends fields at semicolons', () => {
    for (const payload of [...payloads, 'a; =1+1', 'a;\t@SUM(1)', ';-1', 'x";=1'])
      for (const cell of print(saying(payload)).split(/[;\r\n]/)) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/);
  });

  it('has a header and nothing else for a run without hosts', () => {
    expect(print(runResult([]))).toMatch(/^run,runbook,[a-z,]+\r\n$/);
  });

  it.each(['=1+1', '+1', '-2+3', '@SUM(1)', '  =1', '\t=1', '＝1', '"=1'])('has no formula out of %j', (summary) => {
    const [row] = readCsv(print(runResult([{ name: 'web1', steps: [stepResult({ summary })] }])));

    expect(row?.summary).not.toMatch(/^\s*[=+\-@＝＋－＠]/);
    expect(row?.summary?.trim()).toContain(summary.trim());
  });

  it('has no formula in any cell, whatever a host says', () => {
    for (const payload of payloads)
      for (const row of readCsv(print(saying(payload))))
        for (const cell of Object.values(row)) expect(cell).not.toMatch(/^\s*[=+\-@]/);
  });

  it('keeps quotes and commas', () => {
    const summary = 'a "b", c';
    const [row] = readCsv(print(runResult([{ name: 'web1', steps: [stepResult({ summary })] }])));

    expect(row?.summary).toBe(summary);
  });
});
