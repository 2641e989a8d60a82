// Ways to pay that are no cards: bank debits, which settle days later or fail, and wallets.
import type { Page } from '@playwright/test';

import { fillDebit, holdStill, orderPage, returnPage } from './lib/pages';
import { ask, broadband, newOrder, type Order, type Portal, signatureHolds } from './lib/portal';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

const slow = { debit_settle_s: 3600 };

async function debited(page: Page, till: Till, portal: Portal): Promise<Order> {
  await till.sandbox.turn(slow);
  await holdStill(page, till.ready.base_url);
  const order = await newOrder(till, portal, [broadband], { PaymentMethod: 'bacs_debit' });
  await page.goto(order.url);
  await orderPage(page).pay.click();
  await fillDebit(page, '00012345');
  await page.getByTestId('submit').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'processing');
  return order;
}

async function finish(till: Till, order: Order, action: string): Promise<void> {
  const [intent] = await till.sandbox.ofOrder('payment_intent', order.id);
  await till.sandbox.act(action, intent.id);
}

test('a bank debit on its way is told as such, offers no second payment, and is paid when the bank has paid', async ({ page, till, portal }) => {
  const order = await debited(page, till, portal);
  await expect(returnPage(page).status).toContainText('on its way');
  await expect(returnPage(page).status).toContainText('do not pay again');
  expect(await till.credit(order.iCustomer)).toBe('0.00');
  expect((await ask(till, order.request)).Status).toBe('processing');

  await page.goto(order.url);
  await expect(page.getByText('Your payment is on its way')).toBeVisible();
  await expect(orderPage(page).pay).toHaveCount(0);
  const pressed = await fetch(order.url, { method: 'POST', redirect: 'manual' });
  expect(pressed.headers.get('location')).toBe(`${order.url}/return`);
  await page.goto(`${order.url}/cancel`);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'processing');

  await finish(till, order, 'settle_debits');
  await expect.poll(() => till.credit(order.iCustomer)).toBe('14.40');
  await page.reload();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
});

test('a customer whose debit is on its way is led on, with a status that says so', async ({ page, till, portal }) => {
  const order = await debited(page, till, portal);
  await returnPage(page).onward.click();
  await page.waitForURL((url) => url.origin === portal.origin);
  const { query } = portal.visitsOf(order.basket).at(-1)!;
  expect(new URLSearchParams(query).get('status')).toBe('processing');
  expect(signatureHolds(query, till.ready.signing_secret)).toBe(true);
  await finish(till, order, 'settle_debits');
});

test('a bank debit that fails is told as not paid, and credits nothing', async ({ page, till, portal }) => {
  const order = await debited(page, till, portal);
  await finish(till, order, 'fail_debits');
  await expect.poll(async () => (await page.reload(), returnPage(page).status.getAttribute('data-status'))).toBe('failed');
  await expect(returnPage(page).status).toContainText('did not go through');
  expect(await till.credit(order.iCustomer)).toBe('0.00');
  expect(await till.sandbox.payments(order.id)).toHaveLength(0);
});

test('a customer who agrees at PayPal has paid; one who refuses has not and can still pay', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal, [broadband], { PaymentMethod: 'paypal' });
  await holdStill(page, till.ready.base_url);
  await page.goto(order.url);
  await orderPage(page).pay.click();
  await pressPay(page);
  await page.getByTestId('challenge-fail').click();
  await expect(page.getByTestId('decline-message')).toBeVisible();
  expect(await till.sandbox.payments(order.id)).toHaveLength(0);

  await pressPay(page);
  await page.getByTestId('challenge-approve').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
  expect(await till.credit(order.iCustomer)).toBe('14.40');
});

test('a customer with Link has paid without typing a card', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal, [broadband], { PaymentMethod: 'link,card' });
  await holdStill(page, till.ready.base_url);
  await page.goto(order.url);
  await orderPage(page).pay.click();
  await page.getByTestId('method-link').check();
  await pressPay(page);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.credit(order.iCustomer)).toBe('14.40');
});

// pressPay fills in what Stripe's page asks of everybody.
async function pressPay(page: Page): Promise<void> {
  await page.getByTestId('card-name').fill('Ada Byron');
  const postcode = page.locator('#postal_code');
  if ((await postcode.count()) > 0) await postcode.fill('SW1Y 4JH');
  await page.getByTestId('submit').click();
}
