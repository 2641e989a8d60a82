// What the staff do with the books in a browser: the overview with its charts, the proof, unclaimed money, events with a
// replay, postings and a sweep; and axe on each page in both schemes.
import type { Page } from '@playwright/test';

import { Looker } from './lib/look';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

// A trace of each step would cost more than the checks; the picture of a failure says enough.
test.use({ colorScheme: 'light', trace: 'off' });

async function signIn(page: Page, till: Till, at = ''): Promise<void> {
  await page.goto(`${till.ready.base_url}/admin${at}`);
  await page.getByLabel('E-mail address').fill(till.ready.admin_email!);
  await page.getByLabel('Password').fill(till.ready.admin_password!);
  await page.getByTestId('sign-in').click();
  await expect(page.getByTestId('nav')).toBeVisible();
}

// stray pays 42.00 into the Stripe account past the till, and tells the till; it returns the intent.
async function stray(till: Till): Promise<string> {
  const body = new URLSearchParams({ amount: '4200', currency: 'gbp', payment_method: 'pm_card_visa', confirm: 'true', 'payment_method_types[]': 'card' });
  const answer = await fetch(`${till.ready.sandbox_url}/v1/payment_intents`, { method: 'POST', headers: { Authorization: `Bearer ${till.ready.stripe_key}` }, body });
  const intent = (await answer.json()) as { id: string };
  await till.command('settle', intent.id, '--tenant', till.ready.tenant!);
  return intent.id;
}

// charge takes money with a card; it returns the order.
async function charge(till: Till, fee: string): Promise<string> {
  const answer = await fetch(`${till.ready.base_url}/json/reply/StripePaymentRequest`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${till.ready.license}`, 'Idempotency-Key': `books-${Date.now()}-${Math.random()}` },
    body: JSON.stringify({
      ICustomer: till.ready.i_customer,
      apiSingleUseToken: 'tok_visa',
      ShoppingInformation: [{ Title: 'SIP trunk', Quantity: 1, SetupFee: fee, Currency: 'GBP' }],
    }),
  });
  const paid = (await answer.json()) as { OrderId: string; Status: string };
  expect(paid.Status).toBe('paid');
  return paid.OrderId;
}

test('the overview shows figures, charts with their tables, and what needs a person', async ({ page, till }) => {
  await charge(till, '17.00');
  await stray(till);
  const errors: string[] = [];
  page.on('pageerror', (e) => errors.push(String(e)));
  page.on('console', (m) => {
    if (m.type() === 'error' && !m.text().includes('401')) errors.push(m.text());
  });
  await signIn(page, till);
  await expect(page.getByTestId('unexplained')).toHaveText('0.00');
  await expect(page.getByTestId('task').filter({ hasText: 'unclaimed' })).toBeVisible();
  await expect(page.getByTestId('chart')).toHaveCount(2);
  await expect(page.getByTestId('chart').first().locator('canvas')).toBeVisible();
  await page.getByText('Figures').first().click();
  await expect(page.locator('#volume-table tbody tr')).toHaveCount(30);
  await expect(page.locator('#volume-table tbody tr').last()).not.toContainText(/\b0\.00\b/);
  await page.getByLabel('Period').selectOption('7');
  await page.getByTestId('filter').click();
  await expect(page).toHaveURL(/period=7/);
  await expect(page.locator('#volume-table tbody tr')).toHaveCount(7);
  expect(errors).toEqual([]);
});

test('days are proved, verified and taken away as files', async ({ page, till }) => {
  test.setTimeout(180_000);
  await charge(till, '19.00');
  await signIn(page, till, '/proof');
  await page.getByTestId('prove').click();
  await expect(page.getByTestId('unexplained').first()).toHaveText('0.00');
  await expect(page.getByTestId('row').first()).toBeVisible();
  const [csv] = await Promise.all([page.waitForEvent('download'), page.getByTestId('csv').click()]);
  expect(csv.suggestedFilename()).toMatch(/^proof-.*\.csv$/);
  const [journal] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export').click()]);
  expect(journal.suggestedFilename()).toMatch(/journal/);
  await page.getByTestId('verify').click();
  await expect(page.getByTestId('run')).toContainText('nothing is wrong', { timeout: 60_000 });
  await page.goto(`${till.ready.base_url}/admin/sweeps`);
  await page.getByTestId('sweep').click();
  await expect(page.getByTestId('run')).toContainText('Settled', { timeout: 60_000 });
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('unclaimed money is given to a customer, refunded, and closed, each after a confirmation', async ({ page, till }) => {
      test.setTimeout(120_000);
      const [given, back, closed] = [await stray(till), await stray(till), await stray(till)];
      await signIn(page, till, '/unclaimed?state=open');
      const open = async (object: string) => {
        await page.goto(`${till.ready.base_url}/admin/unclaimed?q=${object}`);
        await page.getByTestId('row').getByRole('link').first().click();
      };
      await open(given);
      const suggested = page.getByLabel('Somebody else');
      if (await suggested.count()) await suggested.check();
      await page.getByLabel("Customer's number (ICustomer)").fill(String(till.ready.i_customer));
      await page.getByLabel('Reason, for whoever reads the books later').fill('paid by an old link');
      await page.getByTestId('assign').click();
      await expect(page.getByRole('heading', { level: 1 })).toContainText('Assign £42.00?');
      await page.getByTestId('confirm').click();
      await expect(page.getByRole('status')).toContainText('was credited');
      await open(back);
      await page.getByTestId('refund').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByRole('status')).toContainText('on its way back');
      await open(closed);
      await page.getByLabel('Reason', { exact: true }).fill('our own test');
      await page.getByTestId('ignore').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByRole('status')).toContainText('closed');
      await page.goto(`${till.ready.base_url}/admin/audit`);
      await expect(page.getByTestId('row').first()).toContainText('unclaimed_ignore');
    });

    test('an event is replayed after a dry run, and a posting is marked as done', async ({ page, till }) => {
      test.setTimeout(120_000);
      const order = await charge(till, '23.00');
      await signIn(page, till, `/events?q=${order}`);
      await page.getByTestId('row').first().getByRole('link').click();
      await page.getByTestId('replay').click();
      await expect(page.getByRole('heading', { level: 1 })).toContainText('Dry run');
      await expect(async () => {
        if (!javaScriptEnabled) await page.reload();
        await expect(page.getByTestId('row')).toHaveCount(1, { timeout: 1000 });
      }).toPass({ timeout: 30_000 });
      await page.goto(`${till.ready.base_url}/admin/postings?q=${order}`);
      await page.getByTestId('row').getByRole('link').first().click();
      await page.getByLabel('Reason, for whoever reads the books later').fill('entered by hand');
      await page.getByTestId('mark').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByRole('status')).toContainText('marked as posted');
      await expect(page.locator('main')).toContainText('Posted');
    });
  });
}

test.describe('every page', () => {
  test('axe finds no violation on the pages of the books in either scheme, and nothing is wider than a phone', async ({ page, till }) => {
    test.setTimeout(480_000);
    await charge(till, '29.00');
    await stray(till);
    await signIn(page, till);
    const looker = new Looker(page);
    const look = (name: string) => looker.at(name);
    for (const path of ['', '/proof', '/unclaimed', '/unclaimed?q=nothing', '/events', '/postings', '/sweeps', '/postings?state=flying']) {
      await page.goto(`${till.ready.base_url}/admin${path}`);
      if (path === '' || path === '/proof') await expect(page.getByTestId('unexplained').first()).toHaveText('0.00');
      if (path === '') await page.getByText('Figures').first().click();
      await look(`/admin${path}`);
    }
    for (const list of ['/unclaimed?state=open', '/events', '/postings']) {
      await page.goto(`${till.ready.base_url}/admin${list}`);
      await page.getByTestId('row').first().getByRole('link').first().click();
      const raw = page.getByText('Raw data');
      if (await raw.count()) await raw.click();
      await look(`one of ${list}`);
    }
    await page.getByLabel('Reason, for whoever reads the books later').fill('entered by hand');
    await page.getByTestId('mark').click();
    await look('a confirmation');
    await page.goto(`${till.ready.base_url}/admin/events`);
    await page.getByTestId('row').first().getByRole('link').click();
    await page.getByTestId('replay').click();
    await expect(page.getByTestId('row')).toHaveCount(1, { timeout: 30_000 });
    await look('a run');
    expect(looker.found.join('\n')).toBe('');
  });
});
