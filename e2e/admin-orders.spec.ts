// What the staff do with orders, customers, payments, refunds and disputes: find them, read an order's story, ask Stripe
// again, give money back, cancel; with and without a script, by keyboard, and with axe on every page.
import type { Page } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { artifacts } from './lib/build';
import { Looker } from './lib/look';
import { cards, orderPage, payWith, returnPage, toStripe } from './lib/pages';
import { again, ask, broadband, type Customer, newCustomer, newOrder, type Order, type Portal, saveCard } from './lib/portal';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

// A trace of each step would cost more than the checks; the picture of a failure says enough.
test.use({ colorScheme: 'light', trace: 'off' });

interface Person {
  email: string;
  password: string;
}

async function hire(till: Till, ...flags: string[]): Promise<Person> {
  const email = `grace-${randomBytes(4).toString('hex')}@example.com`;
  const made = JSON.parse(await till.command('admin', 'add', email, '--name', 'Grace Hopper', '--json', ...flags)) as Person;
  return { email, password: made.password };
}

async function signIn(page: Page, till: Till, who: Person, at = '/admin'): Promise<void> {
  await page.goto(till.ready.base_url + at);
  await page.getByLabel('E-mail address').fill(who.email);
  await page.getByLabel('Password').fill(who.password);
  await page.getByTestId('sign-in').click();
  await expect(page.getByTestId('nav')).toBeVisible();
}

const viewer = (till: Till) => hire(till, '--role', 'tenant_viewer', '--tenant', till.ready.tenant);

// paid is an order that was paid with a saved card, and its customer.
async function paid(till: Till, portal: Portal, who: Customer, FeatureName: string, card = 'tok_visa'): Promise<string> {
  const saved = await saveCard(till, portal, who, card, 'Card of the office');
  const answer = await ask(till, { ...portal.request(till, again(who).basket, who.iCustomer, [broadband]), StripeSourceId: saved, FeatureName });
  return answer.OrderId;
}

const rows = (page: Page) => page.getByTestId('row');

test('an order is found by what people know of it, and its page tells its story', async ({ page, till, portal }) => {
  const who = newCustomer();
  const order = await newOrder(till, portal, [broadband], { FeatureName: `Story ${who.iCustomer}`, ContentId: who.iCustomer }, who);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  const [session] = await till.sandbox.ofOrder('checkout.session', order.id);

  await signIn(page, till, await hire(till), '/admin/orders');
  for (const what of [order.id, session.id, session.payment_intent as string, String(who.iCustomer), `ada.${who.iCustomer}@example.com`, `Story ${who.iCustomer}`]) {
    await page.getByRole('searchbox').fill(what);
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(rows(page), `searched for ${what}`).toHaveCount(1);
    await expect(rows(page)).toContainText('£14.40');
  }
  await page.getByTestId('clear').click();
  await page.getByText('Filters', { exact: true }).click();
  await page.getByLabel('FeatureName').fill(`Story ${who.iCustomer}`);
  await page.getByTestId('apply').click();
  await expect(page).toHaveURL(/feature=Story/);
  await page.getByRole('navigation', { name: 'Show' }).getByRole('link', { name: 'Failed' }).click();
  await expect(page.getByTestId('empty')).toContainText('None match');
  await page.getByRole('navigation', { name: 'Show' }).getByRole('link', { name: 'Paid' }).click();
  await rows(page).getByRole('link').first().click();

  await expect(page.getByRole('heading', { level: 1 })).toContainText('£14.40');
  await expect(page.getByTestId('state')).toContainText('Paid');
  const story = page.getByTestId('story-item');
  for (const told of ['The portal asked for the payment', "Attempt 1: a page of Stripe's Checkout", "The customer went to Stripe's page", 'Paid', 'Booked: Payment', 'PortaBilling is to be told: payment of £14.40', 'The portal is to be told: order.paid']) {
    await expect(story.filter({ hasText: told }).first(), told).toBeVisible();
  }
  await expect(story.filter({ hasText: 'Stripe sent checkout.session.completed' }).first()).toBeVisible({ timeout: 15_000 });
  await expect(page.getByTestId('cart-line')).toContainText('1 × £12.00 a month × 1 month = £12.00; plus VAT 20 % (£2.40) = £14.40');
  await expect(page.locator('main')).not.toContainText(till.ready.license);
});

test('money is given back after a question, once, and the audit log has who did it', async ({ page, till, portal }) => {
  const who = newCustomer();
  const id = await paid(till, portal, who, 'To be refunded');
  await signIn(page, till, await hire(till), `/admin/orders/${id}`);
  await page.getByTestId('refund').click();
  await page.getByLabel('Amount in GBP').fill('99');
  await page.getByTestId('to-confirm').click();
  await expect(page.getByRole('alert')).toContainText('more than the £14.40');
  await page.getByLabel('Amount in GBP').fill('5.00');
  await page.getByLabel('Reason').selectOption('requested_by_customer');
  await page.getByTestId('to-confirm').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Give back £5.00?');
  await page.getByTestId('confirm-refund').dblclick();
  await expect(page.getByRole('status').first()).toContainText('£5.00 is on its way back');
  const refund = page.getByTestId('story-item').filter({ has: page.getByText('Refund of £5.00', { exact: true }) });
  await expect(refund).toHaveCount(1);
  // Stripe's webhook may tell of it before our own answer is stored; who asked for it is told in either case.
  await expect(page.getByTestId('story-item').filter({ hasText: 'Grace Hopper' })).not.toHaveCount(0);
  expect(await till.credit(who.iCustomer)).toBe('9.40');
  await page.goto(`${till.ready.base_url}/admin/refunds?q=${id}`);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('£5.00');
  await page.goto(`${till.ready.base_url}/admin/audit`);
  await expect(rows(page).filter({ hasText: id }).first()).toContainText('refund of 5.00 GBP');
});

test('an order that waits is rechecked, its link shown and copied, and cancelled; its page then takes no money', async ({ page, till, portal, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const order = await newOrder(till, portal);
  await signIn(page, till, await hire(till), `/admin/orders/${order.id}`);
  await page.getByTestId('recheck').click();
  await expect(page.getByRole('status').first()).toContainText('Stripe was asked');
  await page.getByTestId('show-link').click();
  await page.getByRole('button', { name: 'Copy the payment link' }).click();
  await expect(page.getByRole('button', { name: 'Copy the payment link' })).toContainText('Copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(order.url);
  await page.getByTestId('cancel-order').click();
  await page.getByLabel('Why').fill('ordered twice');
  await page.getByTestId('confirm-cancel').click();
  await expect(page.getByTestId('state')).toContainText('Cancelled');
  await expect(page.getByTestId('story-item').filter({ hasText: 'The order was cancelled' })).toContainText('ordered twice');
  await page.goto(order.url);
  await expect(orderPage(page).pay).toHaveCount(0);
});

test('the page of an order that waits shows by itself that it was paid', async ({ page, till, portal, browser }) => {
  const order = await newOrder(till, portal);
  await signIn(page, till, await viewer(till), `/admin/orders/${order.id}`);
  await expect(page.getByTestId('state')).toContainText('Open');
  await expect(page.getByTestId('recheck')).toHaveCount(0); // a viewer only reads
  const shopper = await browser.newPage();
  await toStripe(shopper, order.url);
  await payWith(shopper, cards.visa);
  await expect(returnPage(shopper).status).toHaveAttribute('data-status', 'paid');
  await shopper.close();
  await expect(page.getByTestId('state')).toContainText('Paid', { timeout: 15_000 });
});

test('a list is walked by keyboard, which can be turned off', async ({ page, till, portal }) => {
  const who = newCustomer();
  for (const basket of [who, again(who), again(who)]) await newOrder(till, portal, [broadband], {}, basket);
  await signIn(page, till, await viewer(till), `/admin/orders?q=${who.iCustomer}`);
  await expect(rows(page)).toHaveCount(3);
  const links = page.locator('[data-row]');
  await page.keyboard.press('j');
  await expect(links.nth(0)).toBeFocused();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await expect(links.nth(1)).toBeFocused();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('jk');
  await expect(page.getByRole('searchbox')).toHaveValue('jk');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.keyboard.press('j');
  await expect(page.getByRole('button', { name: 'Turn on' })).toBeFocused();
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/admin\/orders\/ord_/);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test("a customer's ledger is read, a list is taken away as a file, and a card is removed after a question", async ({ page, till, portal }) => {
    const who = newCustomer();
    const id = await paid(till, portal, who, 'Ledger');
    await signIn(page, till, await hire(till), '/admin/customers');
    await page.getByRole('searchbox').fill(String(who.iCustomer));
    await page.getByRole('button', { name: 'Search' }).click();
    await rows(page).getByRole('link').first().click();
    await expect(page.getByTestId('balance')).toContainText('£14.40');
    await expect(page.getByTestId('customer-order')).toHaveCount(1);
    await expect(page.getByTestId('card')).toContainText('Visa •••• 4242');
    await page.getByTestId('delete-card').click();
    await page.getByTestId('confirm-card').click();
    await expect(page.getByRole('status').first()).toContainText('The card is removed');
    await expect(page.getByTestId('card')).toHaveCount(0);
    await page.getByTestId('account-link').click();
    await expect(page.locator('main')).toContainText(`${till.ready.base_url}/account/`);

    await page.goto(`${till.ready.base_url}/admin/payments?q=${id}`);
    await expect(rows(page)).toContainText('£14.40');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('csv').click()]);
    expect(download.suggestedFilename()).toMatch(/^payments-\d{4}-\d\d-\d\d\.csv$/);
  });

  test('money is given back and an order cancelled', async ({ page, till, portal }) => {
    const who = newCustomer();
    const id = await paid(till, portal, who, 'No script');
    await signIn(page, till, await hire(till), `/admin/orders/${id}`);
    await page.getByTestId('refund').click();
    await page.getByTestId('to-confirm').click();
    await page.getByTestId('confirm-refund').click();
    await expect(page.getByRole('status').first()).toContainText('£14.40 is on its way back');
    expect(await till.credit(who.iCustomer)).toBe('0.00');
    const order = await newOrder(till, portal);
    await page.goto(`${till.ready.base_url}/admin/orders/${order.id}`);
    await page.getByTestId('cancel-order').click();
    await page.getByTestId('confirm-cancel').click();
    await expect(page.getByTestId('state')).toContainText('Cancelled');
  });
});

// business is a day with a bit of everything, so that every page has something to show.
async function business(page: Page, till: Till, portal: Portal): Promise<{ order: string; open: Order; customer: Customer }> {
  const who = newCustomer();
  const order = await paid(till, portal, who, 'Broadband in December');
  await till.sandbox.act('refund', (await till.sandbox.payments(order))[0].id, { amount: 500 });
  await paid(till, portal, newCustomer(), 'Disputed top-up', 'tok_createDispute');
  const open = await newOrder(till, portal, [
    { ...broadband, SetupFee: 25, VoucherCredit: 5 },
    { Title: 'Telephone numbers in London (020)', Quantity: 5, MonthlyFee: 1.5, AdvancePeriod: 3, VatApplicable: true, Currency: 'GBP' },
    { Title: 'أرقام هواتف <b>نص</b>', Quantity: 1, TransactionCharge: 10, Currency: 'GBP' },
  ]);
  await newOrder(till, portal, [], { ShoppingInformation: undefined });
  const gone = await newOrder(till, portal);
  await till.command('settle', gone.id);
  await expect
    .poll(async () => (await page.goto(`${till.ready.base_url}/admin/disputes`), rows(page).count()), { timeout: 30_000 })
    .toBeGreaterThan(0);
  return { order, open, customer: who };
}

test.describe('every page', () => {
  test('axe finds nothing on these pages in either scheme, and nothing is wider than a phone', async ({ page, till, portal }) => {
    test.setTimeout(300_000);
    const looker = new Looker(page, async (name, scheme, device) => {
      if (process.env.PORTATILL_PICTURES) await page.screenshot({ path: path.join(artifacts, 'screenshots', `admin-${name}-${scheme}-${device}.png`), fullPage: true });
    });
    const look = (name: string) => looker.at(name);
    await signIn(page, till, await hire(till));
    const { order, open } = await business(page, till, portal);
    const walk: [string, string][] = [
      ['orders', '/admin/orders'],
      ['orders-filtered', '/admin/orders?state=paid&currency=GBP&from=2020-01-01'],
      ['orders-none', '/admin/orders?q=nobody+at+all'],
      ['orders-fault', '/admin/orders?from=yesterday'],
      ['order-paid', `/admin/orders/${order}`],
      ['order-open', `/admin/orders/${open.id}`],
      ['order-cancel', `/admin/orders/${open.id}/cancel`],
      ['refund', `/admin/orders/${order}/refund`],
      ['refund-confirm', `/admin/orders/${order}/refund?amount=1.00&reason=duplicate`],
      ['customers', '/admin/customers'],
      ['payments', '/admin/payments'],
      ['refunds', '/admin/refunds'],
      ['disputes', '/admin/disputes'],
      ['disputes-all', '/admin/disputes?state=all'],
    ];
    for (const [name, at] of walk) {
      await page.goto(till.ready.base_url + at);
      await look(name);
    }
    await page.goto(`${till.ready.base_url}/admin/orders/${open.id}`);
    await page.getByText('The request', { exact: true }).click();
    await page.getByText('Ids here and at Stripe', { exact: true }).click();
    await page.getByTestId('show-link').click();
    await look('order-link');
    await page.goto(`${till.ready.base_url}/admin/orders/${order}`);
    await page.getByTestId('story-item').first().locator('summary').first().click().catch(() => undefined);
    await page.locator('.admin-head .text-link').click();
    await expect(page.getByTestId('balance')).toBeVisible();
    await look('customer');
    await page.getByTestId('delete-card').click();
    await look('card-remove');
    expect(looker.found.join('\n')).toBe('');
  });
});
