/**
 * `npm run check`: everything about the code that needs no running test. One line a check; all run, and the
 * output of those that failed follows. `npm run check -- types lint` runs only those.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPrograms } from './programs.js';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Check {
  readonly name: string;
  readonly what: string;
  readonly run: () => Outcome;
}

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

const checks: readonly Check[] = [
  { name: 'format', what: 'files are formatted (npx biome check --write)', run: () => biome('format') },
  { name: 'lint', what: 'lint and import rules', run: () => biome('lint', '--error-on-warnings') },
  { name: 'types', what: 'types', run: () => tool('node_modules/typescript/bin/tsc', '--noEmit', '-p', '.') },
  { name: 'shell', what: 'shell scripts (shellcheck)', run: shellcheck },
  { name: 'schemas', what: 'schemas/ matches src (npm run build)', run: () => tsx('scripts/generate.ts', '--check') },
  { name: 'lock', what: 'package-lock.json fits package.json and the oldest Node.js', run: lockFile },
  { name: 'words', what: 'no unfinished-work markers', run: words },
];

function biome(...args: string[]): Outcome {
  return tool('node_modules/@biomejs/biome/bin/biome', ...args, '--max-diagnostics=20', '--colors=off', '.');
}

function tsx(...args: string[]): Outcome {
  return tool('node_modules/tsx/dist/cli.mjs', ...args);
}

function tool(file: string, ...args: string[]): Outcome {
  return command(process.execPath, join(root, file), ...args);
}

function command(program: string, ...args: string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  return { ok: status === 0, output: error ? error.message : `${stdout}${stderr}` };
}

/** Files of probes are POSIX sh whatever their first line says; others are what their first line says. */
function shellcheck(): Outcome {
  const files = filesUnder('src', 'scripts', 'test', 'bench', '.ci').filter((file) => !file.includes('/fixtures/'));
  const byShell: Record<'sh' | 'bash', string[]> = { sh: [], bash: [] };
  for (const file of files) {
    const first = readFileSync(join(root, file), 'utf8').split('\n', 1)[0] ?? '';
    if (file.endsWith('.sh') && file.startsWith('src/')) byShell.sh.push(file);
    else if (/^#!.*\bbash\b/.test(first)) byShell.bash.push(file);
    else if (/^#!.*\bsh\b/.test(first)) byShell.sh.push(file);
  }
  const outcomes = Object.entries(byShell)
    .filter(([, list]) => list.length > 0)
    .map(([shell, list]) => command('shellcheck', '-s', shell, '-x', '-P', 'SCRIPTDIR', '--', ...list));
  return { ok: outcomes.every(({ ok }) => ok), output: outcomes.map(({ output }) => output).join('') };
}

function lockFile(): Outcome {
  const install = command('npm', 'ci', '--dry-run', '--ignore-scripts', '--engine-strict', '--offline');
  if (!install.ok) return install;
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; hasInstallScript?: boolean; dev?: boolean }>;
  };
  const foreign = Object.entries(packages)
    .filter(([, { resolved }]) => resolved && !resolved.startsWith('https://registry.npmjs.org/'))
    .map(([name]) => `${name} does not come from registry.npmjs.org\n`);
  const runtime = Object.entries(packages)
    .filter(([name, { dev }]) => name !== '' && !dev)
    .map(([name]) => `${name} would be installed with opsctl; bundle it instead\n`);
  return { ok: foreign.length + runtime.length === 0, output: [...foreign, ...runtime].join('') };
}

function words(): Outcome {
  const found = filesUnder('src', 'bin', 'scripts', 'lint', 'bench', 'docs', 'runbooks', 'test')
    .filter((file) => !/\/(fixtures|generated|golden)\//.test(file) && file !== 'scripts/check.ts')
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          /\b(TODO|FIXME|XXX|HACK)\b/.test(line.replaceAll(tapDirective, ''))
            ? [`${file}:${index + 1}: ${line.trim()}`]
            : [],
        ),
    );
  return { ok: found.length === 0, output: found.join('\n') };
}

/** In quotes it is a word of TAP: what fails and does not count. */
const tapDirective = /(['`])(?:# )?TODO\1/g;

function filesUnder(...folders: string[]): string[] {
  return folders.flatMap((folder) => {
    const names = statSync(join(root, folder), { throwIfNoEntry: false })
      ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      : [];
    return names
      .map((name) => join(folder, name))
      .filter((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile());
  });
}

function check(only: readonly string[]): number {
  process.stdout.write(installPrograms({ required: false, only: ['shellcheck'] }));
  const chosen = only.length > 0 ? checks.filter(({ name }) => only.includes(name)) : checks;
  if (chosen.length === 0) {
    process.stdout.write(`no such check; there are: ${checks.map(({ name }) => name).join(', ')}\n`);
    return 2;
  }
  const failures: string[] = [];
  for (const { name, what, run } of chosen) {
    const started = Date.now();
    const { ok, output } = run();
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${what}, ${seconds} s\n`);
    if (!ok) failures.push(`\n--- ${name}\n${output.trimEnd()}\n`);
  }
  process.stdout.write(failures.join(''));
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = check(process.argv.slice(2));
