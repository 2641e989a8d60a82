// Customer pages in each of their languages: the words are the tests' of internal/i18n, here is what a browser makes of
// them. Which language a page is in, that it stays so over Stripe's page and back without a cookie, that nothing is wider
// than a small phone however long a translation is, and what comes out of a printer.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import path from 'node:path';

import { artifacts } from './lib/build';
import { cards, fillCard, holdStill, orderPage, returnPage, settled } from './lib/pages';
import { accountOf, newCustomer, newOrder, type Portal, saveCard } from './lib/portal';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';
import { basketOfThree } from './lib/tour';

test.use({ trace: 'off' });

// Each language with what Intl calls it, and what Stripe's page is asked for (it has no Arabic).
const languages = [
  ['en', 'en', 'en'],
  ['de', 'de', 'de'],
  ['fr', 'fr', 'fr'],
  ['es', 'es', 'es'],
  ['it', 'it', 'it'],
  ['nl', 'nl', 'nl'],
  ['pt', 'pt-PT', 'pt'],
  ['pl', 'pl', 'pl'],
  ['ar', 'ar-u-nu-latn', 'auto'],
] as const;

const phone = { width: 360, height: 740 };

// pages visits every customer page there is in a language, each at the width of a small phone.
async function* pages(page: Page, till: Till, portal: Portal, lang: string): AsyncGenerator<string> {
  const base = till.ready.base_url;
  const open = async (url: string) => {
    await page.goto(`${url}${url.includes('?') ? '&' : '?'}lang=${lang}`);
    await settled(page);
  };
  const who = newCustomer();
  await saveCard(till, portal, who, 'tok_visa', 'Company card');
  await saveCard(till, portal, who, 'tok_chargeCustomerFail');
  const order = await newOrder(till, portal, basketOfThree, {}, who);
  await open(order.url);
  yield 'order';
  await orderPage(page).savedCards.filter({ hasText: '0341' }).click();
  await orderPage(page).pay.click();
  await expect(orderPage(page).savedCards).toHaveCount(2);
  await settled(page);
  yield 'order-refused';
  await page.locator('input[type=radio][value=new]').check();
  await orderPage(page).pay.click();
  await fillCard(page, cards.visa);
  await page.getByTestId('submit').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await settled(page);
  yield 'return-paid';
  await open(order.url);
  yield 'order-paid';
  await open(`${order.url}/receipt`);
  yield 'receipt';
  await open(await accountOf(till, portal, who));
  await page.locator('.manage > summary').first().click();
  await page.locator('.remove > summary').first().click();
  yield 'account';

  const setup = await newOrder(till, portal, [], { ShoppingInformation: undefined });
  await open(setup.url);
  yield 'setup';
  const unpaid = await newOrder(till, portal);
  await open(`${unpaid.url}/return`);
  yield 'return-not-paid';
  const [session] = await till.sandbox.ofOrder('checkout.session', unpaid.id);
  await till.sandbox.act('expire', session.id);
  await open(`${unpaid.url}/return`);
  yield 'return-expired';
  await till.sandbox.turn({ api_error_rate: 1 });
  const unclear = await newOrder(till, portal).catch(() => null);
  await till.sandbox.reset();
  expect(unclear, 'Stripe was away').toBeNull();
  await open(`${base}/pay/AAAAAAAAAAAAAAAAAAAAAA`);
  yield 'no-such-order';
  await open(`${base}/no-such-page`);
  yield 'no-such-page';
}

// twice is how wide a page would be with every text twice as long, as a pseudo-locale does it: with the marks that show
// where a text ends; afterwards the page is as it was, for the next step.
function twice(page: Page): Promise<number> {
  return page.evaluate(() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const before = new Map<Node, string>();
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      if (n.nodeValue!.trim() !== '') before.set(n, n.nodeValue!);
    }
    for (const [n, text] of before) n.nodeValue = `[${text} ${text}]`;
    const wide = document.documentElement.scrollWidth;
    for (const [n, text] of before) n.nodeValue = text;
    return wide;
  });
}

for (const [lang, locale, stripes] of languages) {
  test(`every customer page in ${lang}`, async ({ page, till, portal }) => {
    test.setTimeout(600_000);
    await holdStill(page, till.ready.base_url);
    await page.setViewportSize(phone);
    const found: string[] = [];
    for await (const name of pages(page, till, portal, lang)) {
      expect(await page.locator('html').getAttribute('lang'), name).toBe(lang);
      expect(await page.locator('html').getAttribute('dir'), name).toBe(lang === 'ar' ? 'rtl' : 'ltr');
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > phone.width) found.push(`${name}: ${width} px wide on a phone`);
      if (lang === 'de') {
        const longer = await twice(page);
        if (longer > phone.width) found.push(`${name}: ${longer} px wide on a phone, were its texts twice as long`);
      }
      await page.screenshot({ path: path.join(artifacts, 'languages', `${lang}-${name}.png`), fullPage: true });
      const light = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      await page.emulateMedia({ colorScheme: 'dark' });
      const dark = await new AxeBuilder({ page }).setLegacyMode(true).withRules('color-contrast').analyze(); // all else is the same in the dark
      await page.emulateMedia({ colorScheme: 'light' });
      for (const v of [...light.violations, ...dark.violations]) {
        found.push(`${name}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target} ${n.failureSummary}`).join('\n')}`);
      }
      if (name === 'order') {
        const total = (await orderPage(page).total.innerText()).replace(/\u200e$/, '');
        // 12+25-5 and 20 % VAT, 5 × 1.50 × 3 and 20 % VAT, 10: as the browser's own Intl writes it.
        expect(total).toBe(await page.evaluate(([l]) => new Intl.NumberFormat(l, { style: 'currency', currency: 'GBP' }).format(75.4), [locale]));
      }
      if (name === 'return-paid') expect(new URL(page.url()).searchParams.get('lang'), 'the way back from Stripe').toBe(lang);
      if (name === 'receipt') await expect(page.getByTestId('status')).toHaveAttribute('data-status', 'paid');
    }
    expect(found.join('\n')).toBe('');
    if (lang === 'de') {
      // That a wide one would have been told.
      await page.evaluate(() => document.body.append(Object.assign(document.createElement('p'), { textContent: 'x'.repeat(200), style: 'white-space:pre;overflow-wrap:normal' })));
      expect(await twice(page)).toBeGreaterThan(phone.width);
    }
    const order = await newOrder(till, portal);
    await page.goto(`${order.url}?lang=${lang}`);
    await orderPage(page).pay.click();
    await expect(page.getByTestId('card-number')).toBeVisible();
    const sessions = await till.sandbox.ofOrder('checkout.session', order.id);
    const live = sessions.find((s) => (s as unknown as { status: string }).status === 'open');
    expect((live as unknown as { locale: string }).locale, "the language of Stripe's page").toBe(stripes);
  });
}

test.describe('a German browser', () => {
  test.use({ locale: 'de-AT' });

  test('gets German, and whoever chooses another language keeps it without a cookie', async ({ page, context, till, portal }) => {
    const order = await newOrder(till, portal);
    const answer = await page.goto(order.url);
    expect(answer!.headers()['content-language']).toBe('de');
    expect(answer!.headers().vary).toContain('Accept-Language');
    await expect(orderPage(page).pay).toHaveText(/bezahlen/);
    await page.locator('.langs > summary').click();
    await page.locator('.langs').getByRole('link', { name: 'Polski' }).click();
    await expect(orderPage(page).pay).toHaveText(/Zapłać/);
    expect(await context.cookies()).toEqual([]);
    await orderPage(page).pay.click();
    await expect(page.getByTestId('card-number')).toBeVisible(); // or the browser is between two pages, and has no way back
    await page.goBack();
    await page.locator('.langs > summary').click();
    await page.locator('.langs').getByRole('link', { name: 'Français' }).click();
    await orderPage(page).pay.click();
    await fillCard(page, cards.visa);
    await page.getByTestId('submit').click();
    await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
    await expect(page.getByRole('heading', { name: 'Paiement reçu' })).toBeVisible();
  });
});

test('a receipt is one sheet of paper, A4 and Letter', async ({ page, till, portal }) => {
  await till.command('tenant', 'set', 'demo', '--seller-lines', 'Demo Telecom Ltd; 1 Exchange Square, London EC2A 2BR; VAT GB 123 4567 89');
  const order = await newOrder(till, portal, basketOfThree);
  await page.goto(order.url);
  await orderPage(page).pay.click();
  await fillCard(page, cards.visa);
  await page.getByTestId('submit').click();
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  await page.goto(`${order.url}/receipt`);
  await expect(page.getByText('VAT GB 123 4567 89')).toBeVisible();
  for (const format of ['A4', 'Letter'] as const) {
    const pdf = await page.pdf({ format, preferCSSPageSize: false, path: path.join(artifacts, 'languages', `receipt-${format}.pdf`) });
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length, format).toBe(1);
  }
  await page.emulateMedia({ media: 'print' });
  for (const gone of ['.langs', '.after-panel', '.skip']) await expect(page.locator(gone)).toBeHidden();
  await page.screenshot({ path: path.join(artifacts, 'languages', 'receipt-print.png'), fullPage: true });
});
