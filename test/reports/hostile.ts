import type { RunResult } from '../../src/result/result.schema.js';
import { runResult, stepResult } from '../support/results.js';

/** What a host may say to drive whoever reads a report of it. */
export const payloads: readonly string[] = [
  '\u001b[2J\u001b[H cleared',
  '\u001b]0;new title\u0007',
  '\u001b]52;c;cHduZWQ=\u0007',
  '\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\',
  '\u001bP+q544e\u001b\\',
  '\u009b31mred\u009bm',
  '\u009d0;title\u009c',
  '\u001b_apc\u001b\\ \u001b^pm\u001b\\',
  'progress 10%\rprogress 99%',
  'pass\b\b\b\bfail',
  '\u000e\u000f shift',
  '\u0007\u0000nul and bell',
  'user\u202egnp.exe',
  '\u2066\u2067\u2069 isolates',
  'zero\u200bwidth\u200d\u2060\ufeff',
  '\u3164\u115f fillers',
  'tag \u{e0041}\u{e0042}',
  'lone \ud800 and \udfff surrogates',
  '\ufffe\uffff not characters',
  '\u2028line\u2029paragraph',
  '::error::pwned',
  '  ::set-output name=a::b',
  '\u00a0::add-mask::a',
  'fine\n::error file=a,line=1::pwned\n##[error]pwned',
  'ok ##[add-mask]a',
  'ok ##[set-env name=PATH;]/tmp',
  '##vso[task.setvariable variable=a]b',
  "##teamcity[message text='x']",
  '::stop-commands::pwned\n::pwned::',
  '::{}::x ::group::',
  '=cmd|" /C calc"!A0',
  '+1+1',
  '-2+3',
  '@SUM(1,1)',
  ']]>',
  '<![CDATA[x]]><!-- --> &lt; &#27; <?xml?>',
  '</failure></testcase><testcase name="x"/>',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  'a | b | c |',
  '| --- | --- |\n| x | y |',
  '```\nescaped the fence\n```',
  '````````\n# heading',
  '[click](javascript:alert(1)) ![x](https://evil.example/a.png)',
  'https://evil.example www.evil.example evil@example.com',
  '@octocat @org/team #1 GH-1 octocat/repo#1',
  '# heading\n---\n* item\n> quote',
  '$(touch /tmp/pwned) `id` ${IFS}',
  '%0A::error::x %25 %0D',
  "'quote' = equals | pipe",
  'OK - all fine|load=1;2;3',
  '\r\nwindows\r\n',
  '\t\ttabs\t',
  '',
  ' ',
  '\n\n\n',
  'é'.repeat(50),
  '日本語'.repeat(40),
  '👩‍👩‍👧‍👦'.repeat(20),
  `e${'\u0301'.repeat(200)}`,
  '{"json":"\\"}',
  '__proto__',
  'constructor',
  '~',
  '...',
];

/** A line of one megabyte. */
export const longLine = `start ${'x'.repeat(1024 * 1024)} end`;

/** A result in which everything that a host can influence says `text`. */
export function saying(text: string): RunResult {
  const evidence = { exitStatus: 1, stdout: text, stderr: text, stdoutBytes: text.length, stderrBytes: text.length };
  const finding = {
    id: text,
    severity: 'high' as const,
    subject: text,
    detail: text,
    remedy: text,
    controls: [text],
    fingerprint: text,
  };
  const metrics = [{ name: `used{${text}}`, value: 0.5, unit: 'ratio' as const, warning: '0.8', critical: text }];
  const said = { summary: text, evidence, metrics, item: text };
  return {
    ...runResult(
      [
        {
          name: 'web1',
          steps: [
            stepResult({ ...said, outcome: 'failed', findings: [finding], name: text }),
            stepResult({ ...said, step: 'warn', outcome: 'warning', findings: [finding] }),
            stepResult({ ...said, step: 'unknown', outcome: 'unknown', reason: text }),
            stepResult({ ...said, step: 'skip', outcome: 'skipped' }),
            stepResult({ ...said, step: 'run', uses: 'run.command', outcome: 'changed' }),
            stepResult({ ...said, step: 'ran', uses: 'run.command', outcome: 'failed' }),
          ],
        },
        { name: 'web2', trouble: { outcome: 'unreachable', reason: 'connect-timeout', summary: text } },
      ],
      { runbook: text, file: text, actor: text, stopped: text },
    ),
    warnings: [text],
  };
}
