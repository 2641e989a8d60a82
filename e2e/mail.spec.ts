// Mails, from a payment in a browser to an SMTP server, and the staff pages about them.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { artifacts } from './lib/build';
import { cards, payWith, returnPage, toStripe } from './lib/pages';
import { newOrder } from './lib/portal';
import { Mailbox } from './lib/smtp';
import { expect, expectSquareBooks, test } from './lib/test';
import { Till } from './lib/till';

test.use({ colorScheme: 'light' });
test.describe.configure({ mode: 'serial' });

// A till of its own: those of the other tests send no mail.
let box: Mailbox;
let mailing: Till;

test.beforeAll(async () => {
  box = await Mailbox.open();
  mailing = await Till.start('till-mail', 0, {
    PORTATILL_SMTP_ADDRESS: box.address,
    PORTATILL_SMTP_TLS: 'none',
    PORTATILL_MAIL_FROM: 'till@example.com',
    PORTATILL_MAIL_LETTER_AT: '00:00',
  });
});

test.afterAll(async () => {
  await expectSquareBooks(mailing);
  await mailing.stop();
  await box.close();
});

async function signIn(page: Page): Promise<void> {
  await page.goto(mailing.ready.base_url + '/admin/mail');
  await page.getByLabel('E-mail address').fill(mailing.ready.admin_email);
  await page.getByLabel('Password').fill(mailing.ready.admin_password);
  await page.getByTestId('sign-in').click();
  await expect(page.getByRole('heading', { level: 1, name: 'Mail' })).toBeVisible();
}

const mailsTo = (who: RegExp, what: RegExp) => box.mails.filter((m) => m.to.some((to) => who.test(to)) && what.test(m.data));

test('a customer who paid gets one receipt, and the operator one letter', async ({ page, portal }) => {
  const order = await newOrder(mailing, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  const receipt = new RegExp(`Order: ${order.id}`);
  await expect.poll(() => mailsTo(/./, receipt).length, { timeout: 30_000 }).toBe(1);
  const [mail] = mailsTo(/./, receipt);
  expect(mail.data).toContain('Total: £14.40');
  expect(mail.data).toMatch(/^Message-ID: <eml_\w+@127\.0\.0\.1>\r$/m);
  await page.goto(/(http:\S+\/receipt)\r/.exec(mail.data)![1]);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect.poll(() => mailsTo(/^operator@example\.com$/, /Auto-Submitted: auto-generated/).length, { timeout: 30_000 }).toBe(1);
  const shown = await mailing.command('orders', 'show', order.id);
  expect(shown).toContain('mail_sent');
});

test('an operator sees what became of the mails, each example, and the answer to a test', async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page);
  await expect(page.getByTestId('row').filter({ hasText: 'Receipt' }).first()).toContainText('Sent');
  await expect(page.getByTestId('row').filter({ hasText: 'Daily letter' })).toHaveCount(1);
  await page.getByRole('navigation', { name: 'Show' }).getByRole('link', { name: 'Failed' }).click();
  await expect(page.getByTestId('row')).toHaveCount(0);
  await page.getByRole('link', { name: 'Show all' }).click();
  const order = await page.getByTestId('row').filter({ hasText: 'Receipt' }).first().getByRole('link').innerText();
  await page.getByRole('searchbox', { name: 'Search' }).fill(order);
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByTestId('row')).toHaveCount(1);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('csv').click()]);
  const csv = readFileSync(await file.path(), 'utf8');
  expect(csv.split('\r\n').filter((line) => line.includes(order))).toHaveLength(1);
  expect(csv.split('\r\n').filter((line) => line !== '')).toHaveLength(2);
  await page.getByTestId('row').getByRole('link').click();
  await expect(page.getByText('The customer was written to')).toBeVisible();
  for (const name of ['Receipt', 'Payment failed', 'Confirmation needed', 'Daily letter']) {
    await page.goto(mailing.ready.base_url + '/admin/mail');
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByLabel('Tenant').selectOption({ label: 'Acme Telecom' });
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const frame = page.frameLocator('iframe');
    await expect(frame.getByRole('heading', { level: 1 })).toBeVisible();
    // Its own style is let through: else the button would be a plain link.
    await expect(frame.getByRole('link').first()).toHaveCSS('font-weight', '600');
    await expect(page.getByTestId('mail-text')).toContainText('Acme Telecom');
  }
  await page.goto(mailing.ready.base_url + '/admin/mail/receipt?tenant=demo');
  await page.getByLabel('Language').selectOption({ label: 'العربية' });
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.frameLocator('iframe').locator('html')).toHaveAttribute('dir', 'rtl');
  await page.goto(mailing.ready.base_url + '/admin/mail/daily?tenant=demo');
  await page.getByTestId('mail-test').click();
  await expect(page.getByRole('status')).toContainText('queued as 4711');
  expect(mailsTo(/^operator@example\.com$/, /Subject: \[Test\]/).length).toBe(1);
  box.refuse = '550 5.7.1 relaying denied';
  await page.getByTestId('mail-test').click();
  await expect(page.getByRole('alert')).toContainText('550 5.7.1 relaying denied');
});

test('axe finds no violation on the pages about mail in either scheme, and nothing is wider than a phone', async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page);
  const desktop = page.viewportSize()!;
  const found: string[] = [];
  for (const [name, at] of [['mail', ''], ['mail-none', '?state=failed'], ['mail-receipt', '/receipt'], ['mail-daily', '/daily?tenant=demo'], ['mail-receipt-ar', '/receipt?tenant=demo&lang=ar'], ['mail-receipt-html', '/receipt/html?tenant=demo']]) {
    await page.goto(`${mailing.ready.base_url}/admin/mail${at}`);
    if ((await page.locator('iframe').count()) > 0) await expect(page.frameLocator('iframe').getByRole('heading', { level: 1 })).toBeVisible();
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      // The mail itself refuses every script, axe's too: it is looked at, and measured, alone.
      const scripts = !name.endsWith('-html');
      for (const [form, size] of [['desktop', desktop], ['phone', { width: 360, height: 800 }]] as const) {
        await page.setViewportSize(size);
        await page.screenshot({ path: path.join(artifacts, 'screenshots', `admin-${name}-${scheme}-${form}.png`), fullPage: true });
        if (!scripts) continue;
        const seen = await new AxeBuilder({ page }).setLegacyMode(true).exclude('iframe').analyze();
        expect(seen.passes.length, `axe looked at ${name}`).toBeGreaterThan(5);
        for (const v of seen.violations) found.push(`${name} ${scheme} ${form}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target} ${n.failureSummary}`).join('\n')}`);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > size.width) found.push(`${name}: ${width} px wide at ${size.width}`);
      }
      await page.setViewportSize(desktop);
    }
  }
  expect(found.join('\n')).toBe('');
});
