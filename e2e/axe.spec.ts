// Accessibility, by axe (https://github.com/dequelabs/axe-core), on every page in both colour schemes, and widths. What a
// machine cannot judge is in access.spec.ts, in the tests of views and in the screenshots.
import AxeBuilder from '@axe-core/playwright';
import type { Route } from '@playwright/test';

import { expect, test } from './lib/test';
import { tour } from './lib/tour';

// A trace of each step would cost more than the checks; the picture of a failure says enough.
test.use({ trace: 'off', colorScheme: 'light' });

test('axe finds no violation in either colour scheme, and nothing is wider than a phone', async ({ page, till, portal }) => {
  test.setTimeout(300_000);
  const desktop = page.viewportSize()!;
  const found: string[] = [];
  const visited: string[] = [];
  // Our pages have no frames, for which axe would open a second page each time: hence its legacy mode.
  const axe = () => new AxeBuilder({ page }).setLegacyMode(true);
  for await (const name of tour(page, till, portal)) {
    visited.push(name);
    // Some pages lead on, or load anew, by themselves after seconds: while axe looks they stay (204 leaves a page as it is).
    const stay = (route: Route) => (route.request().isNavigationRequest() ? route.fulfill({ status: 204 }) : route.fallback());
    await page.route('**/*', stay);
    const light = await axe().analyze();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await axe().withRules('color-contrast').analyze(); // all else is the same in the dark
    expect(light.passes.length, `axe looked at ${name}`).toBeGreaterThan(5);
    expect(dark.passes.length + dark.violations.length + dark.incomplete.length, `axe looked at the colours of ${name}`).toBeGreaterThan(0);
    for (const v of [...light.violations, ...dark.violations]) {
      found.push(`${name}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target} ${n.failureSummary}`).join('\n')}`);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 390) found.push(`${name}: ${width} px wide on a phone`);
    await page.setViewportSize(desktop);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.unroute('**/*', stay);
  }
  expect(found.join('\n')).toBe('');
  for (const must of ['return-paid', 'order-saved-cards', 'account-manage', 'account-over', 'setup-return', 'order-failed']) expect(visited).toContain(must);
  // That axe would have told: something is made wrong, for the ear and for the eye.
  await page.evaluate(() => document.body.append(document.createElement('button')));
  expect((await axe().analyze()).violations.map((v) => v.id)).toContain('button-name');
  await page.evaluate(() => {
    const faint = Object.assign(document.createElement('p'), { textContent: 'faint' });
    faint.style.color = '#ddd';
    faint.style.background = '#fff';
    document.body.append(faint);
  });
  expect((await axe().withRules('color-contrast').analyze()).violations).toHaveLength(1);
});
