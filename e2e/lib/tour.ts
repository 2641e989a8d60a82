// A walk past every page that a customer, or somebody who tries the sandbox, can see. Tests that say something about all
// pages (accessibility, screenshots) take this walk, so that a page that is added here is in all of them.
import type { Page } from '@playwright/test';

import { createHmac } from 'node:crypto';

import { accountPage, cards, fillCard, fillDebit, holdStill, orderPage, payWith, returnPage, settled, toStripe } from './pages';
import { accountOf, again, ask, broadband, type Item, newCustomer, newOrder, type Portal, saveCard } from './portal';
import { expect } from './test';
import type { Till } from './till';

export const basketOfThree: Item[] = [
  { ...broadband, DisplayIndex: 1, SetupFee: 25, VoucherCredit: 5, AdditionalInformation: ['Up to 150 Mbit/s', 'Router included'] },
  { Title: 'Telephone numbers in London (020)', Quantity: 5, MonthlyFee: 1.5, AdvancePeriod: 3, VatApplicable: true, Currency: 'GBP', DisplayIndex: 2 },
  { Title: 'Call credit', Quantity: 1, TransactionCharge: 10, Currency: 'GBP', DisplayIndex: 3 },
];

// As long as a label may be: 100 characters.
const longestLabel = 'The card of the office in Norwich that Ada keeps for broadband and telephones'.padEnd(100, ' and more');

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
  yield* savedCards(page, till, portal);
  yield* account(page, till, portal);
  yield* later(page, till, portal);

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

// savedCards are the order pages of customers who have cards, and of one whose bank wants them.
async function* savedCards(page: Page, till: Till, portal: Portal): AsyncGenerator<string> {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa', 'Company card');
  await saveCard(till, portal, who, 'tok_amex', longestLabel);
  await saveCard(till, portal, who, 'tok_chargeCustomerFail');
  const order = await newOrder(till, portal, basketOfThree, {}, who);
  await open(page, order.url);
  await expect(orderPage(page).savedCards).toHaveCount(3);
  yield 'order-saved-cards';
  await orderPage(page).savedCards.filter({ hasText: '0341' }).click();
  await orderPage(page).pay.click();
  await expect(orderPage(page).savedCards.filter({ hasText: '0341' })).toContainText('refused');
  await settled(page);
  yield 'order-card-refused';

  const away = newCustomer();
  const card = await saveCard(till, portal, away, 'pm_card_authenticationRequired');
  const charged = await ask(till, { ...portal.request(till, away.basket, away.iCustomer, basketOfThree), StripeSourceId: card });
  await open(page, charged.Url);
  await expect(page.getByRole('heading', { name: 'Your bank wants you' })).toBeVisible();
  yield 'order-needs-customer';

  const setup = await newOrder(till, portal, [], { ShoppingInformation: undefined });
  await open(page, setup.url);
  yield 'setup-order';
  await toStripe(page, setup.url);
  yield 'setup-stripe';
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await settled(page);
  yield 'setup-return';
}

// account is the customer's own page, without and with something on it, and when its address is over.
async function* account(page: Page, till: Till, portal: Portal): AsyncGenerator<string> {
  const who = newCustomer();
  await open(page, await accountOf(till, portal, who));
  yield 'account-empty';

  const visa = await saveCard(till, portal, who, 'tok_visa', 'Company card');
  await saveCard(till, portal, who, 'tok_mastercard', longestLabel);
  const pay = (token: string, FeatureName: string) => ask(till, { ...portal.request(till, again(who).basket, who.iCustomer, [broadband]), StripeSourceId: token, FeatureName });
  await pay(visa, 'Broadband in December');
  const back = await pay(visa, 'Broadband in January');
  await till.sandbox.act('refund', (await till.sandbox.payments(back.OrderId))[0].id, { amount: 500 });
  await pay(await saveCard(till, portal, who, 'tok_createDispute'), 'Disputed one');
  const url = await accountOf(till, portal, who);
  await expect
    .poll(async () => (await open(page, url), accountPage(page).payments.getByText(/Partly refunded|Disputed$/).count()), { timeout: 20_000 })
    .toBe(2);
  await expect(accountPage(page).cards).toHaveCount(3);
  yield 'account';
  await accountPage(page).cards.nth(1).locator('summary').first().click();
  await accountPage(page).cards.nth(1).getByText('Remove this card').click();
  yield 'account-manage';
  await accountPage(page).cards.nth(1).getByTestId('delete-card').click();
  await expect(accountPage(page).notice).toContainText('Card removed');
  await settled(page);
  yield 'account-removed';
  await accountPage(page).payments.filter({ hasText: 'Partly refunded' }).getByRole('link', { name: /Receipt/ }).click();
  await settled(page);
  yield 'account-receipt';
  await open(page, yesterdays(url, till.ready.signing_secret));
  await expect(page.getByRole('heading', { name: 'This link is no longer good' })).toBeVisible();
  yield 'account-over';
}

// yesterdays is an account page's address as the till made it a day ago: nobody waits an hour for a picture.
function yesterdays(url: string, secret: string): string {
  const at = url.lastIndexOf('/') + 1;
  const parts = url.slice(at).split('.').slice(0, 5);
  parts[3] = String(Number(parts[3]) - 86_400);
  const signed = parts.join('.');
  return `${url.slice(0, at)}${signed}.${createHmac('sha256', secret).update(`account page\n${signed}`).digest('base64url')}`;
}

// later are the pages of a bank debit.
async function* later(page: Page, till: Till, portal: Portal): AsyncGenerator<string> {
  await till.sandbox.turn({ debit_settle_s: 3600 });
  const order = await newOrder(till, portal, [broadband], { PaymentMethod: 'bacs_debit' });
  await page.goto(order.url);
  await orderPage(page).pay.click();
  await settled(page);
  yield 'stripe-debit';
  await fillDebit(page, '00012345');
  await page.getByTestId('submit').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'processing');
  await settled(page);
  yield 'return-processing';
  await open(page, order.url);
  yield 'order-processing';
  const [intent] = await till.sandbox.ofOrder('payment_intent', order.id);
  await till.sandbox.act('fail_debits', intent.id);
  await expect.poll(async () => (await open(page, `${order.url}/return`), returnPage(page).status.getAttribute('data-status'))).toBe('failed');
  yield 'return-failed';
  await open(page, order.url);
  yield 'order-failed';
}

async function open(page: Page, url: string): Promise<void> {
  // A page that leads on by itself, such as "paid", may do so at this moment and abort the visit; then it is made again.
  await page.goto(url).catch(() => page.goto(url));
  await settled(page);
}
