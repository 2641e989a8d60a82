// The demo as a fixture, and the walk past every staff page with its data.
import { test as base, type Page } from '@playwright/test';

import { settled } from './pages';
import { Till } from './till';

// How many orders the demo of a test has: enough for a full page of most lists.
const orders = Number(process.env.PORTATILL_DEMO_ORDERS ?? 300);

export const test = base.extend<object, { demo: Till }>({
  demo: [
    async ({}, use, worker) => {
      const till = await Till.start(`demo-${worker.project.name}-${worker.workerIndex}`, orders);
      await use(till);
      await till.stop();
    },
    { scope: 'worker', timeout: 16 * 60_000 },
  ],
});

export async function signIn(page: Page, till: Till, path = '/admin'): Promise<void> {
  await page.goto(till.ready.base_url + path);
  await page.getByLabel('E-mail address').fill(till.ready.admin_email);
  await page.getByLabel('Password').fill(till.ready.admin_password);
  await page.getByTestId('sign-in').click();
  await page.getByTestId('nav').waitFor({ state: 'attached' });
}

// Pages that neither the navigation nor a list's first row leads to.
const others: { name: string; path: string }[] = [{ name: 'account', path: '/admin/account' }];

// staffTour visits every page of the navigation, what the first row of each list leads to, and the others; it says of each
// what it is called. The navigation is the list: a page that is added there is in all pictures.
export async function* staffTour(page: Page, till: Till): AsyncGenerator<string> {
  await signIn(page, till);
  const paths = await page.getByTestId('nav').locator('a[href^="/admin"]').evaluateAll((links) => links.map((a) => a.getAttribute('href')!));
  for (const path of new Set(paths)) {
    const name = path.replace(/^\/admin\/?/, '').replace(/[^a-z]+/g, '-') || 'overview';
    await open(page, till, path);
    yield `staff-${name}`;
    if (await followRow(page)) yield `staff-${name}-one`;
  }
  for (const { name, path } of others) {
    await open(page, till, path);
    yield `staff-${name}`;
  }
}

// open shows a page.
export async function open(page: Page, till: Till, path: string): Promise<void> {
  const answer = await page.goto(till.ready.base_url + path);
  if (answer?.status() !== 200) throw new Error(`${path} was answered ${answer?.status()}`);
  await settled(page);
}

// followRow opens what the first row of a list leads to, and reports whether there is such a thing.
export async function followRow(page: Page): Promise<boolean> {
  const link = page.getByTestId('row').first().locator('a[href^="/admin/"]').first();
  if ((await link.count()) === 0) return false;
  const to = await link.getAttribute('href');
  await page.goto(new URL(to!, page.url()).href);
  await settled(page);
  return true;
}
