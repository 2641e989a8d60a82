import { cards, payWith, returnPage, toStripe } from './lib/pages';
import { newOrder } from './lib/portal';
import { expect, test } from './lib/test';

for (const [what, number] of [
  ['declined', cards.declined],
  ['without funds', cards.insufficientFunds],
] as const) {
  test(`a card that is ${what} takes nothing, and another card pays the same order once`, async ({ page, till, portal }) => {
    const order = await newOrder(till, portal);
    await toStripe(page, order.url);
    await payWith(page, number);
    await expect(page.getByTestId('decline-message')).toBeVisible();
    expect(await till.sandbox.payments(order.id)).toHaveLength(0);
    expect(await till.credit(order.iCustomer)).toBe('0.00');

    await payWith(page, cards.visa);
    await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
    expect(await till.sandbox.payments(order.id)).toHaveLength(1);
    expect(await till.credit(order.iCustomer)).toBe('14.40');
  });
}

test('a customer whom the bank asks and who approves has paid', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.challenged);
  await expect(page.getByTestId('challenge-approve')).toBeVisible();
  expect(await till.credit(order.iCustomer)).toBe('0.00');

  await page.getByTestId('challenge-approve').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
  expect(await till.credit(order.iCustomer)).toBe('14.40');
});

test('a customer who fails at the bank has not paid, is told so, and can try another card', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.challenged);
  await page.getByTestId('challenge-fail').click();
  await expect(page.getByTestId('decline-message')).toBeVisible();
  expect(await till.sandbox.payments(order.id)).toHaveLength(0);
  expect(await till.credit(order.iCustomer)).toBe('0.00');

  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
  expect(await till.credit(order.iCustomer)).toBe('14.40');
});
