// The fixtures. Each worker starts a till (with its Stripe double) and a portal once; each test ends with the dials back
// where they were and with books that are square, whatever the test was about.
import { test as base, expect } from '@playwright/test';

import { Portal } from './portal';
import { Till } from './till';

interface PerWorker {
  till: Till;
  portal: Portal;
}

export const test = base.extend<{ squareBooks: void }, PerWorker>({
  till: [
    async ({}, use, worker) => {
      const till = await Till.start(`till-${worker.project.name}-${worker.workerIndex}`);
      await use(till);
      await till.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  portal: [
    async ({}, use) => {
      const portal = await Portal.open();
      await use(portal);
      await portal.close();
    },
    { scope: 'worker' },
  ],
  squareBooks: [
    async ({ till }, use) => {
      await use();
      await till.sandbox.reset();
      await expectSquareBooks(till);
    },
    { auto: true },
  ],
});

export async function expectSquareBooks(till: Till): Promise<void> {
  const books = await till.books();
  expect(books.broken, 'invariants of the books that are broken').toEqual([]);
  for (const t of books.tenants) {
    expect(Number(t.sum), `sum of ${t.tenant}'s accounts in ${t.currency}`).toBe(0);
  }
}

export { expect };
