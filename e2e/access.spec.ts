// What a machine cannot see of accessibility in one look: a keyboard alone, and fingers. axe.spec.ts has the rest.
import type { Locator, Page } from '@playwright/test';

import { accountPage, orderPage, returnPage } from './lib/pages';
import { accountOf, newCustomer, newOrder, saveCard } from './lib/portal';
import { expect, test } from './lib/test';
import { basketOfThree } from './lib/tour';

test('a customer with a keyboard alone reaches the pay button and Stripe', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await page.goto(order.url);
  const reached: string[] = [];
  for (let n = 0; n < 20; n++) {
    await page.keyboard.press('Tab');
    const id = await page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.tagName ?? '');
    reached.push(id);
    if (id === 'pay') break;
  }
  expect(reached).toContain('pay');
  const outline = await orderPage(page).pay.evaluate((e) => {
    const style = getComputedStyle(e);
    return { width: parseFloat(style.outlineWidth), style: style.outlineStyle, shadow: style.boxShadow };
  });
  expect(outline.style !== 'none' && outline.width >= 2, `focus must be seen: ${JSON.stringify(outline)}`).toBe(true);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('card-number')).toBeVisible();
});

// reach presses Tab until the focus is where it is wanted.
async function reach(page: Page, wanted: Locator): Promise<void> {
  for (let n = 0; n < 30; n++) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((e) => e === document.activeElement)) return;
  }
  throw new Error(`the keyboard does not reach ${wanted}`);
}

test('a customer with a keyboard alone chooses between cards and pays', async ({ page, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  await saveCard(till, portal, who, 'tok_mastercard');
  const order = await newOrder(till, portal, basketOfThree, {}, who);
  await page.goto(order.url);
  const radios = page.getByRole('radio');
  await reach(page, radios.first()); // a group is one stop; the arrows choose in it
  const chosen = () => page.getByRole('radio', { checked: true }).evaluate((e) => (e as HTMLInputElement).value);
  const first = await chosen();
  await page.keyboard.press('ArrowDown');
  expect(await chosen()).not.toBe(first);
  await reach(page, orderPage(page).pay);
  await page.keyboard.press('Enter');
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await expect(page.getByText('•••• 4242')).toBeVisible(); // cards are listed newest first
});

test('a customer with a keyboard alone labels a card and removes it', async ({ page, till, portal }) => {
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  await page.goto(await accountOf(till, portal, who));
  const card = accountPage(page).cards;
  await reach(page, card.locator('summary').first());
  await page.keyboard.press('Enter');
  await reach(page, card.getByTestId('label'));
  await page.keyboard.type('Mine');
  await page.keyboard.press('Enter');
  await expect(accountPage(page).notice).toContainText('Label saved');
  await expect(card).toContainText('Mine');
  await reach(page, card.locator('summary').first());
  await page.keyboard.press('Space');
  await reach(page, card.locator('summary').last());
  await page.keyboard.press('Enter');
  await reach(page, card.getByTestId('delete-card'));
  await page.keyboard.press('Enter');
  await expect(accountPage(page).notice).toContainText('Card removed');
  await expect(card).toHaveCount(0);
});

test('on a phone what is pressed is large enough', async ({ page, till, portal }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa');
  const order = await newOrder(till, portal, basketOfThree, {}, who);
  await page.goto(order.url);
  // 44 px: WCAG 2.2, success criterion 2.5.5.
  const { pay, cancel, savedCards } = orderPage(page);
  for (const what of [pay, cancel, savedCards.first()]) expect((await what.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  await page.goto(await accountOf(till, portal, who));
  const card = accountPage(page).cards.first();
  await card.locator('summary').first().click();
  await card.locator('summary').last().click();
  for (const what of [card.locator('summary').first(), card.getByRole('button', { name: /Save label/ }), card.getByTestId('delete-card'), accountPage(page).back]) {
    expect((await what.boundingBox())!.height, await what.innerText()).toBeGreaterThanOrEqual(44);
  }
});
