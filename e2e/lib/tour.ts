// A walk past every page that a customer, or somebody who tries the sandbox, can see. Tests that say something about all
// pages (accessibility, screenshots) take this walk, so that a page that is added here is in all of them.
import type { Page } from '@playwright/test';

import { cards, fillCard, holdStill, orderPage, payWith, returnPage, settled, toStripe } from './pages';
import { broadband, type Item, newOrder, type Portal } from './portal';
import { expect } from './test';
import type { Till } from './till';

export const basketOfThree: Item[] = [
  { ...broadband, DisplayIndex: 1, SetupFee: 25, VoucherCredit: 5, AdditionalInformation: ['Up to 150 Mbit/s', 'Router included'] },
  { Title: 'Telephone numbers in London (020)', Quantity: 5, MonthlyFee: 1.5, AdvancePeriod: 3, VatApplicable: true, Currency: 'GBP', DisplayIndex: 2 },
  { Title: 'Call credit', Quantity: 1, TransactionCharge: 10, Currency: 'GBP', DisplayIndex: 3 },
];

// tour visits the pages one after the other and says of each, once it is there, what it is called.
export async function* tour(page: Page, till: Till, portal: Portal): AsyncGenerator<string> {
  const base = till.ready.base_url;
  await holdStill(page, base);

  await open(page, base);
  yield 'home';
  await open(page, `${base}/no-such-page`);
  yield 'not-found';
  await open(page, `${base}/pay/AAAAAAAAAAAAAAAAAAAAAA`);
  yield 'no-such-order';

  yield* paying(page, till, portal);
  yield* otherEnds(page, till, portal);

  await open(page, `${till.ready.sandbox_url}/_sandbox`);
  yield 'sandbox';
  await open(page, `${till.ready.sandbox_url}/_portal/success?order=ord_1&status=paid&amount=14.40&currency=GBP`);
  yield 'portal-success';
  await open(page, `${till.ready.sandbox_url}/_portal/cancelled`);
  yield 'portal-cancelled';
}

// paying is one order from its page to its receipt, with every obstacle on the way.
async function* paying(page: Page, till: Till, portal: Portal): AsyncGenerator<string> {
  const order = await newOrder(till, portal, basketOfThree);
  await open(page, order.url);
  await expect(orderPage(page).lines).toHaveCount(3);
  yield 'order';
  await toStripe(page, order.url);
  yield 'stripe';
  await page.getByTestId('submit').click();
  await settled(page);
  yield 'stripe-incomplete';
  await payWith(page, cards.declined);
  await expect(page.getByTestId('decline-message')).toBeVisible();
  yield 'stripe-declined';
  await payWith(page, cards.challenged);
  await expect(page.getByTestId('challenge-approve')).toBeVisible();
  yield 'challenge';
  await page.getByTestId('challenge-fail').click();
  await expect(page.getByTestId('decline-message')).toBeVisible();
  yield 'challenge-failed';

  await fillCard(page, cards.visa);
  await page.getByTestId('submit').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await settled(page);
  yield 'return-paid';
  await open(page, order.url);
  yield 'order-paid';
  await open(page, `${order.url}/receipt`);
  yield 'receipt';
}

// otherEnds are the states in which an order can be besides paid.
async function* otherEnds(page: Page, till: Till, portal: Portal): AsyncGenerator<string> {
  const unpaid = await newOrder(till, portal);
  await open(page, `${unpaid.url}/return`);
  yield 'return-not-paid';

  await till.sandbox.turn({ api_error_rate: 1 });
  await open(page, `${unpaid.url}/return`);
  yield 'return-checking';
  await till.sandbox.reset();

  const expired = await newOrder(till, portal);
  const [session] = await till.sandbox.ofOrder('checkout.session', expired.id);
  await till.sandbox.act('expire', session.id);
  await open(page, `${expired.url}/return`);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'expired');
  yield 'return-expired';
  await open(page, expired.url);
  yield 'order-expired';

  const many = await newOrder(
    till,
    portal,
    Array.from({ length: 40 }, (_, n) => ({ ...broadband, Key: `line-${n}`, Title: `Extension ${n + 1} — ${'a long name '.repeat(1 + (n % 7))}`, DisplayIndex: n })),
  );
  await open(page, many.url);
  await expect(orderPage(page).lines).toHaveCount(40);
  yield 'order-forty-lines';
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await settled(page);
}
