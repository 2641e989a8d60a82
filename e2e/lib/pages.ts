// What a customer does on the pages, and what is the same on each of them.
import type { Page } from '@playwright/test';

import { expect } from './test';

// Stripe's documented test cards (https://docs.stripe.com/testing).
export const cards = {
  visa: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  insufficientFunds: '4000 0000 0000 9995',
  challenged: '4000 0027 6000 3184', // 3-D Secure on every payment
  challengedOnce: '4000 0025 0000 3155', // 3-D Secure until it is saved for later
  failsLater: '4000 0000 0000 0341', // can be saved, and no charge of it succeeds
};

export const orderPage = (page: Page) => ({
  tenant: page.getByTestId('tenant'),
  lines: page.getByTestId('line'),
  explanations: page.getByTestId('line-explanation'),
  total: page.getByTestId('order-total'),
  pay: page.getByTestId('pay'),
  cancel: page.getByTestId('cancel'),
  savedCards: page.getByTestId('saved-card'),
  saveBox: page.getByTestId('save-card').getByRole('checkbox'),
  another: page.getByRole('radio', { name: /Another card/ }),
});

export const accountPage = (page: Page) => ({
  cards: page.getByTestId('account-card'),
  payments: page.getByTestId('account-payment'),
  back: page.getByTestId('back'),
  notice: page.getByRole('status'),
});

export const returnPage = (page: Page) => ({
  status: page.getByTestId('status'),
  onward: page.getByTestId('continue'),
});

// fillCard fills Stripe's form as a customer does: the card, and whatever else is asked for and still empty.
export async function fillCard(page: Page, number: string): Promise<void> {
  await page.getByTestId('card-number').fill(number);
  await page.getByTestId('card-expiry').fill('12 / 34');
  await page.getByTestId('card-cvc').fill('123');
  await fillPayer(page);
}

async function fillPayer(page: Page): Promise<void> {
  for (const [autocomplete, value] of Object.entries(payer)) {
    const field = page.locator(`input[autocomplete~="${autocomplete}"]:visible:not([readonly]):not([disabled])`);
    if ((await field.count()) > 0) await field.first().fill(value);
  }
}

// By what HTML calls these fields (https://html.spec.whatwg.org/#autofill), so that the order of the form is no matter.
const payer = {
  email: 'ada@example.com',
  'cc-name': 'Ada Byron',
  name: 'Ada Byron',
  'address-line1': '12 St James Square',
  'street-address': '12 St James Square',
  'address-level2': 'London',
  'postal-code': 'SW1Y 4JH',
};

// fillDebit fills Stripe's form for a UK bank account. 00012345 pays; 22222227 has no funds, which shows days later.
export async function fillDebit(page: Page, account: string): Promise<void> {
  await page.getByTestId('sort-code').fill('10-88-00');
  await page.getByTestId('account-number').fill(account);
  await fillPayer(page);
}

export async function payWith(page: Page, number: string): Promise<void> {
  await fillCard(page, number);
  await page.getByTestId('submit').click();
}

// toStripe opens an order's page and presses its button.
export async function toStripe(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await orderPage(page).pay.click();
  await expect(page.getByTestId('card-number')).toBeVisible();
}

// holdStill takes the Refresh header off the return page, so that it can be looked at for as long as it takes.
export async function holdStill(page: Page, base: string): Promise<void> {
  await page.route(`${base}/pay/*/return*`, async (route) => {
    const answer = await route.fetch();
    const headers = answer.headers();
    delete headers.refresh;
    await route.fulfill({ response: answer, headers });
  });
}

// settled waits until what a page shows is drawn: styles loaded and fonts ready.
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}
