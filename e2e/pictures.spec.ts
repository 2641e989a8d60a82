// The pictures that docs/ shows, of the demo: `make screenshots` writes those anew that have changed. The demo's story and
// its days are the same each time; ids are not, and are made so before a picture is taken.
import { statSync } from 'node:fs';
import path from 'node:path';

import type { Page } from '@playwright/test';

import { root } from './lib/build';
import { followRow, open, signIn, test } from './lib/demo';
import { cards, holdStill, payWith, returnPage, settled, toStripe } from './lib/pages';
import { newOrder, Portal } from './lib/portal';
import { expect } from './lib/test';
import { basketOfThree } from './lib/tour';

interface Picture {
  name: string;
  path: string;
  row?: boolean; // what the first row of the page leads to
  dark?: boolean;
  height?: number;
}

const pictures: Picture[] = [
  { name: 'overview', path: '/admin', height: 880 },
  { name: 'order', path: '/admin/orders?state=mismatch', row: true, height: 1000 },
  { name: 'unclaimed', path: '/admin/unclaimed' },
  { name: 'proof', path: '/admin/proof', dark: true },
  { name: 'branding', path: '/admin/tenants/nordlicht/branding', height: 1000 },
];

// Few and small: they are in every clone of the repository.
const largest = 250_000;

// show writes the picture of what is seen anew, or compares.
async function show(page: Page, name: string): Promise<void> {
  await sameIds(page);
  await expect(page).toHaveScreenshot(`${name}.png`, { maxDiffPixelRatio: 0.01 });
  expect(statSync(path.join(root, 'docs/pictures', `${name}.png`)).size, 'bytes of the picture').toBeLessThan(largest);
}

for (const picture of pictures) {
  test(`the picture ${picture.name}`, async ({ page, demo }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme: picture.dark ? 'dark' : 'light' });
    await page.setViewportSize({ width: 1280, height: picture.height ?? 800 });
    await signIn(page, demo, '/admin');
    await open(page, demo, picture.path);
    if (picture.row && !(await followRow(page))) throw new Error(`${picture.path} has no row that leads anywhere`);
    await show(page, picture.name);
  });
}

test("the pictures of a customer's phone", async ({ page, demo }) => {
  test.setTimeout(120_000);
  const portal = await Portal.open();
  try {
    await holdStill(page, demo.ready.base_url);
    await page.setViewportSize({ width: 390, height: 844 });
    const order = await newOrder(demo, portal, basketOfThree);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(order.url);
      await settled(page);
      await show(page, colorScheme === 'light' ? 'pay' : 'pay-dark');
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await toStripe(page, order.url);
    await payWith(page, cards.visa);
    await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
    await page.goto(`${order.url}/receipt?lang=ar`);
    await settled(page);
    await show(page, 'receipt-ar');
  } finally {
    await portal.close();
  }
});

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
