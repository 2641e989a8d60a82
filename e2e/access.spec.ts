// Accessibility, by axe (https://github.com/dequelabs/axe-core), on every page and in both colour schemes. What a machine
// cannot judge is in the tests of views and in the screenshots.
import AxeBuilder from '@axe-core/playwright';

import { holdStill, orderPage } from './lib/pages';
import { newOrder } from './lib/portal';
import { expect, test } from './lib/test';
import { basketOfThree, tour } from './lib/tour';

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`in a ${colorScheme} colour scheme`, () => {
    test.use({ colorScheme });

    test('axe finds no violation on any page', async ({ page, till, portal }) => {
      test.setTimeout(180_000);
      const found: string[] = [];
      const visited: string[] = [];
      for await (const name of tour(page, till, portal)) {
        visited.push(name);
        const { violations, passes } = await new AxeBuilder({ page }).analyze();
        expect(passes.length, `axe looked at ${name}`).toBeGreaterThan(0);
        for (const v of violations) found.push(`${name}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target} ${n.failureSummary}`).join('\n')}`);
      }
      expect(found.join('\n')).toBe('');
      expect(visited).toContain('return-paid');
      // That axe would have told: something is made wrong.
      await page.evaluate(() => document.body.append(document.createElement('button')));
      expect((await new AxeBuilder({ page }).analyze()).violations.map((v) => v.id)).toContain('button-name');
    });
  });
}

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

test('on a phone nothing is wider than the screen, and what is pressed is large enough', async ({ page, till, portal }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await holdStill(page, till.ready.base_url);
  const tooWide: string[] = [];
  for await (const name of tour(page, till, portal)) {
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 390) tooWide.push(`${name}: ${width} px`);
  }
  expect(tooWide).toEqual([]);
  const order = await newOrder(till, portal, basketOfThree);
  await page.goto(order.url);
  // 44 px: WCAG 2.2, success criterion 2.5.5.
  for (const what of [orderPage(page).pay, orderPage(page).cancel]) {
    expect((await what.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  }
});
