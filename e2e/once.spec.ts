// Pay once: whatever a customer or a portal does twice, there is one order and one payment.
import { cards, fillCard, holdStill, orderPage, payWith, returnPage, toStripe } from './lib/pages';
import { newOrder, type Order, send } from './lib/portal';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

async function expectPaidOnce(till: Till, order: Order): Promise<void> {
  expect(await till.sandbox.payments(order.id), 'payments at Stripe').toHaveLength(1);
  const sessions = await till.sandbox.ofOrder('checkout.session', order.id);
  expect(sessions.filter((s) => s.status === 'open'), 'sessions that could still be paid').toHaveLength(0);
  expect(sessions.filter((s) => s.status === 'complete'), 'sessions that were paid').toHaveLength(1);
  expect(await till.credit(order.iCustomer)).toBe('14.40');
}

test('a double click on the pay button leads to one payment', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await page.goto(order.url);
  await orderPage(page).pay.dblclick();
  await expect(page.getByTestId('card-number')).toBeVisible();
  const open = (await till.sandbox.ofOrder('checkout.session', order.id)).filter((s) => s.status === 'open');
  expect(open, 'sessions that can be paid').toHaveLength(1);

  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await expectPaidOnce(till, order);
});

test('a double click on Stripe’s button leads to one payment', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await fillCard(page, cards.visa);
  await page.getByTestId('submit').dblclick();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await expectPaidOnce(till, order);
});

test('a customer who goes back from Stripe and presses pay again pays once', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await page.goBack();
  await expect(orderPage(page).pay).toBeVisible();
  await orderPage(page).pay.click();
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await expectPaidOnce(till, order);
});

test('a customer who goes back after paying finds it paid and no button', async ({ page, till, portal }) => {
  await holdStill(page, till.ready.base_url);
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await returnPage(page).onward.click();
  await page.waitForURL((url) => url.origin === portal.origin);

  await page.goBack(); // the return page
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await page.goBack(); // Stripe's page
  await expect(page.getByTestId('submit')).toHaveCount(0);
  await page.goto(order.url);
  await expect(orderPage(page).pay).toHaveCount(0);
  await expectPaidOnce(till, order);
});

test('the pay button of a page that is out of date leads to what is true', async ({ page, context, till, portal }) => {
  const order = await newOrder(till, portal);
  const other = await context.newPage();
  await other.goto(order.url); // stays open with its button while the first tab pays
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');

  await holdStill(other, till.ready.base_url);
  await orderPage(other).pay.click();
  await expect(returnPage(other).status).toHaveAttribute('data-status', 'paid');
  await expectPaidOnce(till, order);
});

test('eight presses at once open one session', async ({ till, portal }) => {
  const order = await newOrder(till, portal);
  const presses = await Promise.all(Array.from({ length: 8 }, () => fetch(order.url, { method: 'POST', redirect: 'manual' })));
  const leads = new Set(presses.map((p) => p.headers.get('location')));
  expect(presses.map((p) => p.status)).toEqual(Array(8).fill(303));
  expect(leads.size, `led to ${[...leads].join(' ')}`).toBe(1);
  const sessions = await till.sandbox.ofOrder('checkout.session', order.id);
  expect(sessions.filter((s) => s.status === 'open')).toHaveLength(1);
});

test('the same request again is the same order, and says so', async ({ till, portal }) => {
  const order = await newOrder(till, portal);
  expect(order.response.Replayed ?? false).toBe(false);
  const { status, answer } = await send(till, order.request);
  expect(status).toBe(200);
  expect(answer.OrderId).toBe(order.id);
  expect(answer.Url).toBe(order.url);
  expect(answer.Replayed).toBe(true);
});

test('one Idempotency-Key with two requests is refused', async ({ till, portal }) => {
  const order = await newOrder(till, portal);
  const key = `key-${order.basket}`;
  const first = await send(till, order.request, key);
  expect(first.status).toBe(200);
  const second = await send(till, { ...order.request, FeatureName: 'Something else' }, key);
  expect(second.status).toBe(409);
  expect(second.answer.ResponseStatus?.ErrorCode).toBe('IdempotencyConflict');
});
