// The ways back from Stripe: cancelled, before the webhook, without the webhook, never.
import { cards, holdStill, orderPage, payWith, returnPage, toStripe } from './lib/pages';
import { newOrder } from './lib/portal';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

// deliveriesOf lists the webhooks that speak of an order.
async function deliveriesOf(till: Till, order: string) {
  const events = (await till.sandbox.objects('event')).filter((e) => JSON.stringify(e).includes(order)).map((e) => e.id);
  return (await till.sandbox.deliveries()).filter((d) => events.includes(d.event));
}

test('a customer who cancels on the order page ends on CancelUrl, unpaid', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await page.goto(order.url);
  await orderPage(page).cancel.click();
  await page.waitForURL((url) => url.origin === portal.origin && url.pathname === '/cancelled');
  expect(portal.visitsOf(order.basket).map((v) => v.path)).toEqual(['/cancelled']);
  expect(await till.credit(order.iCustomer)).toBe('0.00');
});

test('a customer who leaves Stripe’s page unpaid ends on CancelUrl and can still pay later', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await page.locator(`a[href^="${till.ready.base_url}/pay/"]`).first().click();
  await page.waitForURL((url) => url.origin === portal.origin && url.pathname === '/cancelled');
  expect(await till.credit(order.iCustomer)).toBe('0.00');

  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
});

test('a customer who is back before the webhook sees it paid, and the webhook changes nothing', async ({ page, till, portal }) => {
  await till.sandbox.turn({ delay_ms: 3000 });
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  const early = await deliveriesOf(till, order.id);
  expect(early.length).toBeGreaterThan(0);
  expect(early.filter((d) => d.state === 'delivered'), 'webhooks that came before the page').toHaveLength(0);
  expect(await till.credit(order.iCustomer)).toBe('14.40');

  await expect.poll(async () => (await deliveriesOf(till, order.id)).filter((d) => d.state === 'pending').length, { timeout: 30_000 }).toBe(0);
  expect((await deliveriesOf(till, order.id)).every((d) => d.state === 'delivered')).toBe(true);
  expect(await till.credit(order.iCustomer)).toBe('14.40');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
});

test('a payment whose webhooks are all lost is settled by the customer’s return', async ({ page, till, portal }) => {
  await till.sandbox.turn({ drop: 1 });
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.credit(order.iCustomer)).toBe('14.40');
  expect((await deliveriesOf(till, order.id)).every((d) => d.state === 'dropped')).toBe(true);
});

test('a payment of a customer who never comes back is settled by the webhook', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await page.route('**/return*', (route) => route.abort());
  await payWith(page, cards.visa).catch(() => undefined); // the browser ends on an error page, which is the point
  await expect.poll(() => till.credit(order.iCustomer), { timeout: 30_000 }).toBe('14.40');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
});

test('while Stripe does not answer the return page says that it checks, and then settles on its own', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await till.sandbox.turn({ api_error_rate: 1, drop: 1 });
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toBeVisible({ timeout: 40_000 });
  await expect(returnPage(page).status).not.toHaveAttribute('data-status', 'paid');
  expect(await till.credit(order.iCustomer)).toBe('0.00');

  await till.sandbox.turn({ api_error_rate: 0 });
  await page.waitForURL((url) => url.origin === portal.origin && url.pathname === '/success', { timeout: 40_000 });
  expect(await till.credit(order.iCustomer)).toBe('14.40');
});

test('a refund made on Stripe’s side takes the customer’s credit back', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  const [intent] = await till.sandbox.payments(order.id);
  await till.sandbox.act('refund', intent.id);
  await expect.poll(() => till.credit(order.iCustomer), { timeout: 30_000 }).toBe('0.00');
});

test('an order whose session expired at Stripe can be started again', async ({ page, till, portal }) => {
  await holdStill(page, till.ready.base_url);
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  const [session] = await till.sandbox.ofOrder('checkout.session', order.id);
  await till.sandbox.act('expire', session.id);
  await page.goto(`${order.url}/return`);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'expired');

  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
  expect(await till.credit(order.iCustomer)).toBe('14.40');
});
