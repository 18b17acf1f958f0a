#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

// Node 22.8 and later keep compiled code between runs; harmless elsewhere.
module.enableCompileCache?.();

const entry = new URL('../dist/main.js', import.meta.url);
if (existsSync(entry)) {
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write('opsctl: not built; run `npm ci`, or `npm run build` after a change\n');
  process.exitCode = 70;
}
