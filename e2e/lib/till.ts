// A till under test: `portatill serve --sandbox` as a process of its own, on free ports and a database in a temporary
// directory. Everything a test asks of it goes through what an operator, a portal or Stripe would use.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { artifacts, binary } from './build';
import { Sandbox } from './sandbox';

// What --ready-file holds, as product.md section 7 names it.
export interface Ready {
  base_url: string;
  sandbox_url: string;
  metrics_url: string;
  tenant: string;
  license: string;
  signing_secret: string;
  webhook_secret: string;
  i_customer: number;
  admin_email: string;
  admin_password: string;
}

// When the months of the demo end in tests and pictures.
export const demoEnds = '2026-06-30T15:00:00Z';

export interface TenantBooks {
  tenant: string;
  currency: string;
  accounts: Record<string, string>;
  sum: string;
  customers: { i_customer: number; credit: string }[];
}

export interface Books {
  tenants: TenantBooks[];
  broken: string[]; // one line for every row that breaks an invariant
}

const startLimit = 20_000;
const demoLimit = 15 * 60_000; // a few hundred orders take a minute; machines can be busy

export class Till {
  private constructor(
    readonly ready: Ready,
    readonly sandbox: Sandbox,
    private readonly server: ChildProcess,
    private readonly dir: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  // start serves a new sandbox, or, with a number of orders, the demo: six months of business that end on the same day
  // whenever it is started. settings are those that the test is about.
  static async start(name: string, orders = 0, settings: NodeJS.ProcessEnv = {}): Promise<Till> {
    const command = orders > 0 ? ['demo', '--orders', String(orders), '--until', demoEnds] : ['serve', '--sandbox'];
    const dir = mkdtempSync(path.join(tmpdir(), 'portatill-e2e-'));
    const readyFile = path.join(dir, 'ready.json');
    const env: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      HOME: dir,
      TMPDIR: dir,
      PORTATILL_DATABASE_URL: `sqlite:${path.join(dir, 'portatill.db')}`,
      PORTATILL_SANDBOX: '1',
      PORTATILL_LISTEN: '127.0.0.1:0',
      PORTATILL_SANDBOX_LISTEN: '127.0.0.1:0',
      PORTATILL_METRICS_LISTEN: '127.0.0.1:0',
      PORTATILL_SWEEP_INTERVAL: '10s', // the shortest there is; nobody waits three minutes for a test
      ...settings,
    };
    mkdirSync(path.join(artifacts, 'logs'), { recursive: true });
    const log = createWriteStream(path.join(artifacts, 'logs', `${name}.log`));
    const server = spawn(binary(), [...command, '--ready-file', readyFile], { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        if (said.length < 10_000) said += chunk;
        log.write(chunk);
      });
    }
    const limit = orders > 0 ? demoLimit : startLimit;
    const deadline = Date.now() + limit;
    while (!existsSync(readyFile) || readFileSync(readyFile, 'utf8') === '') {
      if (server.exitCode !== null || server.signalCode !== null || Date.now() > deadline) {
        server.kill('SIGKILL');
        throw new Error(`portatill ${command[0]} was not ready within ${limit / 1000} s; it said:\n${said}`);
      }
      await pause(20);
    }
    const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready;
    return new Till(ready, await Sandbox.at(ready.sandbox_url), server, dir, env);
  }

  async stop(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) {
      const ended = new Promise((resolve) => this.server.once('exit', resolve));
      this.server.kill('SIGTERM');
      const giveUp = setTimeout(() => this.server.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(giveUp);
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  // command runs `portatill …` as a second process on the same database and with the same Stripe double.
  command(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const env = { ...this.env, PORTATILL_SANDBOX: this.ready.sandbox_url };
      execFile(binary(), args, { env, cwd: this.dir, timeout: 60_000 }, (fault, stdout, stderr) => {
        if (fault) reject(new Error(`portatill ${args.join(' ')}: ${fault.message}\n${stdout}${stderr}`));
        else resolve(stdout);
      });
    });
  }

  async books(): Promise<Books> {
    return JSON.parse(await this.command('books', '--json')) as Books;
  }

  // credit is what the books say the customer has paid in, as decimal text; "0.00" when they do not know it.
  async credit(iCustomer: number): Promise<string> {
    const books = await this.books();
    const found = books.tenants
      .filter((t) => t.tenant === this.ready.tenant)
      .flatMap((t) => t.customers)
      .find((c) => c.i_customer === iCustomer);
    return found?.credit ?? '0.00';
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
