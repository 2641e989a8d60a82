// The typed client as a portal's developer gets it: ServiceStack's own tool asks the till for it, TypeScript compiles it.
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { here } from './till.mjs';

const run = promisify(execFile);

// Inside this directory, where the compiler finds node_modules.
export const generated = path.join(here, 'generated');

export function emptyGenerated() {
  rmSync(generated, { recursive: true, force: true });
  mkdirSync(generated, { recursive: true });
}

// tool runs one of @servicestack/cli's commands. Without the setting it would tell servicestack.net that it was used.
export async function tool(name, ...args) {
  const script = path.join(here, 'node_modules', '@servicestack', 'cli', 'bin', `${name}.js`);
  const { stdout } = await run(process.execPath, [script, ...args], {
    cwd: generated,
    env: { ...process.env, SERVICESTACK_TELEMETRY_OPTOUT: '1' },
  });
  return stdout;
}

// compile runs the TypeScript compiler and gives its complaints, '' when there are none.
export async function compile(files, ...options) {
  const compiler = path.join(here, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', ...options];
  try {
    await run(process.execPath, [compiler, ...args, ...files], { cwd: generated });
    return '';
  } catch (failure) {
    return `${failure.stdout}${failure.stderr}` || String(failure);
  }
}

export function write(name, text) {
  writeFileSync(path.join(generated, name), text);
}

// load compiles the till's types and gives the module.
export async function load(ready) {
  write('package.json', '{"type":"module"}');
  await tool('typescript-ref', ready.base_url);
  const complaints = await compile(['dtos.ts'], '--outDir', 'out');
  if (complaints) throw new Error(complaints);
  return import(pathToFileURL(path.join(generated, 'out', 'dtos.js')).href);
}
