// The pictures that docs/ shows, of the demo: `make screenshots` writes those anew that have changed. The demo's story and
// its days are the same each time; ids are not, and are made so before a picture is taken.
import { statSync } from 'node:fs';
import path from 'node:path';

import type { Page } from '@playwright/test';

import { root } from './lib/build';
import { followRow, open, signIn, test } from './lib/demo';
import { expect } from './lib/test';

interface Picture {
  name: string;
  path: string;
  row?: boolean; // what the first row of the page leads to
  dark?: boolean;
  height?: number;
}

const pictures: Picture[] = [
  { name: 'overview', path: '/admin', height: 1000 },
  { name: 'orders', path: '/admin/orders', dark: true },
  { name: 'order', path: '/admin/orders?state=mismatch', row: true, height: 1000 },
  { name: 'unclaimed', path: '/admin/unclaimed' },
  { name: 'disputes', path: '/admin/disputes' },
  { name: 'proof', path: '/admin/proof', dark: true },
  { name: 'staff', path: '/admin/staff' },
];

// Few and small: they are in every clone of the repository.
const largest = 150_000;

for (const picture of pictures) {
  test(`the picture ${picture.name}`, async ({ page, demo }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme: picture.dark ? 'dark' : 'light' });
    await page.setViewportSize({ width: 1280, height: picture.height ?? 800 });
    await signIn(page, demo, '/admin');
    const inNav = page.getByTestId('nav').locator(`a[href="${picture.path.split('?')[0]}"]`);
    test.skip((await inNav.count()) === 0, 'this build has no such page');
    await open(page, demo, picture.path);
    if (picture.row && !(await followRow(page))) throw new Error(`${picture.path} has no row that leads anywhere`);
    await sameIds(page);
    await expect(page).toHaveScreenshot(`${picture.name}.png`, { maxDiffPixelRatio: 0.01 });
    expect(statSync(path.join(root, 'docs/pictures', `${picture.name}.png`)).size, 'bytes of the picture').toBeLessThan(largest);
  });
}

// sameIds writes every id of the page with the same characters after its prefix.
async function sameIds(page: Page): Promise<void> {
  await page.evaluate(() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      node.nodeValue = node.nodeValue!.replace(/\b([a-z]{2,4}_(?:test_)?)([A-Za-z0-9]{6,})/g, (_, prefix: string, rest: string) =>
        prefix + '01jz8k4m2q7x3v9w5r6t0hdnbc'.repeat(4).slice(0, rest.length));
    }
  });
}
