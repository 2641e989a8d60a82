// A till under test: `portatill serve --sandbox` as a process of its own, on free ports and a database in a temporary
// directory. PORTATILL_BIN names the binary; without it bin/portatill of this checkout is taken.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const binary = process.env.PORTATILL_BIN ?? path.join(here, '..', '..', 'bin', 'portatill');
const startLimit = 30_000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function startTill() {
  if (!existsSync(binary)) throw new Error(`there is no ${binary}: run make build, or set PORTATILL_BIN`);
  const dir = mkdtempSync(path.join(tmpdir(), 'portatill-clients-'));
  const readyFile = path.join(dir, 'ready.json');
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    TMPDIR: dir,
    PORTATILL_DATABASE_URL: `sqlite:${path.join(dir, 'portatill.db')}`,
    PORTATILL_LISTEN: '127.0.0.1:0',
    PORTATILL_SANDBOX_LISTEN: '127.0.0.1:0',
    PORTATILL_METRICS_LISTEN: '127.0.0.1:0',
  };
  const server = spawn(binary, ['serve', '--sandbox', '--ready-file', readyFile], { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => {
      if (said.length < 20_000) said += chunk;
    });
  }
  const gone = new Promise((done) => server.once('exit', done));
  const deadline = Date.now() + startLimit;
  while (!existsSync(readyFile)) {
    if (server.exitCode !== null || server.signalCode !== null || Date.now() > deadline) {
      server.kill('SIGKILL');
      throw new Error(`portatill serve was not ready within ${startLimit / 1000} s; it said:\n${said}`);
    }
    await pause(20);
  }
  return {
    ready: JSON.parse(readFileSync(readyFile, 'utf8')),
    said: () => said,
    async stop() {
      server.kill('SIGTERM');
      const killer = setTimeout(() => server.kill('SIGKILL'), 15_000);
      await gone;
      clearTimeout(killer);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
