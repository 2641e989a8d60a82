// Saved cards, where a person is involved: what a customer sees of them, and what becomes of a payment with one.
import type { Page } from '@playwright/test';

import { accountPage, cards, fillCard, holdStill, orderPage, payWith, returnPage, toStripe } from './lib/pages';
import { about, accountOf, again, ask, broadband, cardsOf, newCustomer, newOrder, type Order, saveCard, send, signatureHolds } from './lib/portal';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

// expectPaidOnce holds of an order that was paid with a saved card, or after one failed.
async function expectPaidOnce(till: Till, order: Order, credit = '14.40'): Promise<void> {
  expect(await till.sandbox.payments(order.id), 'payments at Stripe').toHaveLength(1);
  const sessions = await till.sandbox.ofOrder('checkout.session', order.id);
  expect(sessions.filter((s) => s.status === 'open'), 'sessions that could still be paid').toHaveLength(0);
  expect(await till.credit(order.iCustomer)).toBe(credit);
}

const choose = (page: Page, last4: string) => orderPage(page).savedCards.filter({ hasText: last4 }).click();

test('a customer labels a card, removes another, reads a receipt, and goes back to the portal', async ({ page, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  const company = await saveCard(till, portal, who, 'tok_mastercard', 'Company card');
  const charged = await ask(till, { ...portal.request(till, who.basket, who.iCustomer, [broadband]), StripeSourceId: company });
  expect(charged.Status).toBe('paid');

  await page.goto(await accountOf(till, portal, who));
  const account = accountPage(page);
  await expect(account.cards).toHaveCount(2);
  await expect(account.cards.filter({ hasText: '4444' })).toContainText('Company card');
  await expect(account.payments).toContainText('£14.40');

  const visa = account.cards.filter({ hasText: '4242' });
  await visa.locator('summary').first().click();
  await visa.getByTestId('label').fill('For the flat');
  await visa.getByRole('button', { name: /Save label/ }).click();
  await expect(account.notice).toContainText('Label saved');
  await expect(visa).toContainText('For the flat');
  expect((await cardsOf(till, portal, who)).map((c) => c.CardInfo)).toContain('For the flat');

  const mastercard = account.cards.filter({ hasText: '4444' });
  await mastercard.locator('summary').first().click();
  await expect(mastercard.getByTestId('delete-card')).toBeHidden(); // it asks first
  await mastercard.getByText('Remove this card').click();
  await mastercard.getByTestId('delete-card').click();
  await expect(account.notice).toContainText('Card removed');
  await expect(account.cards).toHaveCount(1);
  expect((await cardsOf(till, portal, who)).map((c) => c.Last4)).toEqual(['4242']);
  await page.reload();
  await expect(account.cards).toHaveCount(1);

  await account.payments.getByRole('link', { name: /Receipt/ }).click();
  await expect(page.getByText('Fibre broadband 150').first()).toBeVisible();
  await page.getByTestId('account').click();
  await account.back.click();
  await page.waitForURL((url) => url.origin === portal.origin && url.pathname === '/success');
  expect(portal.visitsOf(who.basket).at(-1)!.query).toBe(`basket=${who.basket}&note=a%20b`);
});

for (const [how, number, challenged] of [
  ['', cards.visa, false],
  [', and whom the bank asks,', cards.challengedOnce, true],
] as const) {
  test(`a customer who saves a card on Stripe’s page${how} pays with it while away`, async ({ page, till, portal }) => {
    const order = await newOrder(till, portal, [], { ShoppingInformation: undefined });
    expect(order.response.Status).toBe('open');
    await page.goto(order.url);
    await expect(page.getByText('Nothing is charged now')).toBeVisible();
    await orderPage(page).pay.click();
    await payWith(page, number);
    if (challenged) await page.getByTestId('challenge-approve').click();
    await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
    await expect(returnPage(page).status).toContainText('Your card is saved');
    await returnPage(page).onward.click();
    await page.waitForURL((url) => url.origin === portal.origin);
    const visit = portal.visitsOf(order.basket).at(-1)!;
    expect(new URLSearchParams(visit.query).get('order')).toBe(order.id);
    expect(signatureHolds(visit.query, till.ready.signing_secret)).toBe(true);
    expect(await till.credit(order.iCustomer)).toBe('0.00');

    const [card] = await cardsOf(till, portal, order);
    expect(card.Last4).toBe(number.slice(-4));
    const charged = await ask(till, { ...portal.request(till, order.basket, order.iCustomer, [broadband]), StripeSourceId: card.StripeSourceId });
    expect(charged.Status).toBe('paid');
    expect(await till.credit(order.iCustomer)).toBe('14.40');
  });
}

test('a customer who fails at the bank has saved no card and can try another', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal, [], { ShoppingInformation: undefined });
  await toStripe(page, order.url);
  await payWith(page, cards.challengedOnce);
  await page.getByTestId('challenge-fail').click();
  await expect(page.getByTestId('decline-message')).toBeVisible();
  expect(await cardsOf(till, portal, order)).toEqual([]);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toContainText('Your card is saved');
  expect(await cardsOf(till, portal, order)).toHaveLength(1);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(`with JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, () => {
    test.use({ javaScriptEnabled });

    test('a customer who ticks the box finds the card on the next order, pays with it, and removes it', async ({ page, till, portal }) => {
      const first = await newOrder(till, portal);
      await page.goto(first.url);
      await expect(orderPage(page).savedCards).toHaveCount(0);
      await orderPage(page).saveBox.check();
      await orderPage(page).pay.click();
      await payWith(page, cards.visa);
      await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');

      const second = await newOrder(till, portal, [broadband], { ContentId: 2 }, again(first));
      await page.goto(second.url);
      await expect(orderPage(page).savedCards).toHaveCount(1);
      await expect(orderPage(page).savedCards.getByRole('radio')).toBeChecked();
      await holdStill(page, till.ready.base_url);
      await orderPage(page).pay.click();
      await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
      await expect(page.getByText('•••• 4242')).toBeVisible();
      await expectPaidOnce(till, second, '28.80');

      await page.goto(await accountOf(till, portal, first));
      await page.locator('details.manage > summary').click();
      await page.getByTestId('label').fill('Mine');
      await page.getByRole('button', { name: /Save label/ }).click();
      await page.locator('details.manage > summary').click();
      await page.getByText('Remove this card').click();
      await page.getByTestId('delete-card').click();
      await expect(accountPage(page).notice).toContainText('Card removed');
      expect(await cardsOf(till, portal, first)).toEqual([]);
    });
  });
}

test('a customer who leaves the box alone finds no card on the next order', async ({ page, till, portal }) => {
  const first = await newOrder(till, portal);
  await toStripe(page, first.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await cardsOf(till, portal, first)).toEqual([]);
  const second = await newOrder(till, portal, [broadband], { ContentId: 2 }, again(first));
  await page.goto(second.url);
  await expect(orderPage(page).pay).toBeVisible();
  await expect(orderPage(page).savedCards).toHaveCount(0);
});

test('a saved card that fails is told with what to do, and another way pays the same order once', async ({ page, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_chargeCustomerFail');
  const order = await newOrder(till, portal, [broadband], {}, who);
  await page.goto(order.url);
  await choose(page, '0341');
  await orderPage(page).pay.click();
  await expect(page).toHaveURL(order.url);
  await expect(page.getByRole('heading', { name: 'The payment did not go through' })).toBeVisible();
  await expect(page.getByText('Use another card, or ask the bank')).toBeVisible();
  await expect(orderPage(page).savedCards).toContainText('refused');
  await expect(orderPage(page).another).toBeChecked();
  expect(await till.sandbox.payments(order.id)).toHaveLength(0);

  await orderPage(page).pay.click();
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await expectPaidOnce(till, order);
});

test('a card that was removed meanwhile is told, and the order is paid another way', async ({ page, till, portal }) => {
  const who = newCustomer();
  const card = await saveCard(till, portal, who, 'tok_visa');
  const order = await newOrder(till, portal, [broadband], {}, who);
  await page.goto(order.url);
  await ask(till, about(till, portal, who, { IsDelete: true, StripeSourceId: card }));
  await orderPage(page).pay.click();
  await expect(page.getByText('That card is no longer saved')).toBeVisible();
  await expect(orderPage(page).savedCards).toHaveCount(0);
  await orderPage(page).pay.click();
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await expectPaidOnce(till, order);
});

for (const addresses of [true, false]) {
  test(`a charge that the bank wants confirmed leads the customer to a page${addresses ? ' and from there to SuccessUrl' : ', also when there is nowhere to return to'}`, async ({ page, till, portal }) => {
    const who = newCustomer();
    const card = await saveCard(till, portal, who, 'pm_card_authenticationRequired');
    const request = { ...portal.request(till, who.basket, who.iCustomer, [broadband]), StripeSourceId: card, ...(addresses ? {} : { SuccessUrl: '', CancelUrl: '' }) };
    const answer = await ask(till, request);
    expect(answer.Status).toBe('requires_action');
    expect(await till.credit(who.iCustomer)).toBe('0.00');

    await holdStill(page, till.ready.base_url);
    await page.goto(answer.Url);
    await expect(page.getByRole('heading', { name: 'Your bank wants you to confirm this payment' })).toBeVisible();
    await expect(orderPage(page).cancel).toHaveCount(addresses ? 1 : 0);
    await orderPage(page).pay.click();
    await payWith(page, cards.challenged);
    await page.getByTestId('challenge-approve').click();
    await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
    await expectPaidOnce(till, { ...who, id: answer.OrderId, url: answer.Url, response: answer, request });
    expect((await ask(till, request)).Status).toBe('paid');
    if (addresses) {
      await returnPage(page).onward.click();
      await page.waitForURL((url) => url.origin === portal.origin && url.pathname === '/success');
      expect(signatureHolds(portal.visitsOf(who.basket).at(-1)!.query, till.ready.signing_secret)).toBe(true);
    } else {
      await expect(returnPage(page).onward).toHaveCount(0);
      await expect(page.getByText('You can close this page')).toBeVisible();
    }
  });
}

test('a portal that charges a card that fails learns why, and takes nothing', async ({ till, portal }) => {
  const who = newCustomer();
  const card = await saveCard(till, portal, who, 'tok_chargeCustomerFail');
  const { status, answer } = await send(till, { ...portal.request(till, who.basket, who.iCustomer, [broadband]), StripeSourceId: card });
  expect(status).toBe(402);
  expect(answer.ResponseStatus?.ErrorCode).toBe('CardDeclined');
  expect(answer.ResponseStatus?.Meta?.decline_code).toBe('generic_decline');
  expect(await till.credit(who.iCustomer)).toBe('0.00');
});

test('two tabs that pay with a saved card at once, and one on Stripe’s page, are one payment', async ({ page, context, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  const order = await newOrder(till, portal, [broadband], {}, who);
  const [second, third] = [await context.newPage(), await context.newPage()];
  await holdStill(page, till.ready.base_url);
  await holdStill(second, till.ready.base_url);
  await toStripeWithAnother(third, order.url);
  await page.goto(order.url);
  await second.goto(order.url);
  await Promise.all([orderPage(page).pay.click(), orderPage(second).pay.click()]);
  for (const tab of [page, second]) await expect(returnPage(tab).status).toHaveAttribute('data-status', 'paid');
  await fillCard(third, cards.visa);
  await third.getByTestId('submit').click(); // the session was ended before the card was charged
  await expect.poll(() => till.sandbox.payments(order.id).then((p) => p.length)).toBe(1);
  await expectPaidOnce(till, order);
});

async function toStripeWithAnother(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await orderPage(page).another.check();
  await orderPage(page).pay.click();
  await expect(page.getByTestId('card-number')).toBeVisible();
}

test('a double click, and the back button after it, pay once with a saved card', async ({ page, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  const order = await newOrder(till, portal, [broadband], {}, who);
  await holdStill(page, till.ready.base_url);
  await page.goto(order.url);
  await orderPage(page).pay.dblclick();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await page.goBack();
  await expect(page).toHaveURL(order.url);
  await expect(page.getByText('This order is paid')).toBeVisible();
  await expect(orderPage(page).pay).toHaveCount(0);
  await expectPaidOnce(till, order);
});

test('an account page that is over, or was changed, says so and shows nothing', async ({ page, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  const url = await accountOf(till, portal, who);
  await page.goto(url.slice(0, -4) + 'AAAA');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  await expect(page.getByText('4242')).toHaveCount(0);
});
