#!/usr/bin/env node
const argv = process.argv.slice(2);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  fail(`needs Node.js 20.19 or newer, this is ${process.versions.node}`);
} else if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  // Scripts ask this often; it needs no command loaded.
  const { readFileSync } = await import('node:fs');
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else {
  try {
    const { main } = await import('../dist/main.js');
    process.exitCode = await main(argv);
    // All is written. Waiting for Node.js to tidy up takes as long as ten small checks.
    process.exit();
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes('dist/main.js'))
      fail('not built; run `npm ci`, or `npm run build` after a change');
    else fail(error.stack ?? String(error));
  }
}

function fail(text) {
  process.stderr.write(`opsctl: ${text}\n`);
  process.exitCode = 70;
}
