import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(__dirname, '../..');
export const artifacts = path.join(root, 'e2e/artifacts');

// The binary under test: PORTATILL_BIN, or one built now from the tree.
export function binary(): string {
  return process.env.PORTATILL_BIN ?? path.join(root, 'bin/portatill');
}

export default function build(): void {
  mkdirSync(artifacts, { recursive: true });
  try {
    accessSync('/usr/bin/chromium', constants.X_OK);
  } catch {
    throw new Error('there is no /usr/bin/chromium: run make setup');
  }
  if (process.env.PORTATILL_BIN) {
    accessSync(process.env.PORTATILL_BIN, constants.X_OK);
    return;
  }
  execFileSync('go', ['build', '-trimpath', '-o', binary(), './cmd/portatill'], { cwd: root, stdio: 'inherit' });
}
