// Looking at a staff page as axe does, in both colour schemes and at both widths. The colours of a text are the same at
// every width, and all else is the same in the dark, so that the dear rule for contrast is asked twice and not four times.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect } from './test';

const desktop = { width: 1280, height: 800 };
const phone = { width: 360, height: 780 };

export class Looker {
  readonly found: string[] = [];

  // picture is told of each state of a page, for who wants pictures.
  constructor(
    private readonly page: Page,
    private readonly picture: (name: string, scheme: 'light' | 'dark', device: 'desktop' | 'phone') => Promise<void> = async () => undefined,
  ) {}

  // at looks at the page as it is now. What is wrong is gathered in found.
  async at(name: string): Promise<void> {
    const { page } = this;
    await page.setViewportSize(desktop);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect(page.getByRole('heading', { level: 1 }), name).toHaveCount(1);
    // Our pages have no frames, for which axe would open a second page each time: hence its legacy mode.
    const axe = () => new AxeBuilder({ page }).setLegacyMode(true);
    const light = await axe().analyze();
    expect(light.passes.length, `axe looked at ${name}`).toBeGreaterThan(5);
    await this.picture(name, 'light', 'desktop');
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await axe().withRules('color-contrast').analyze();
    await this.picture(name, 'dark', 'desktop');
    await page.setViewportSize(phone);
    await this.picture(name, 'dark', 'phone');
    const small = await axe().disableRules('color-contrast').analyze();
    expect(small.passes.length, `axe looked at ${name} on a phone`).toBeGreaterThan(5);
    const wide = await this.reachingOut();
    if (wide) this.found.push(`${name}: ${wide}`);
    await page.emulateMedia({ colorScheme: 'light' });
    await this.picture(name, 'light', 'phone');
    await page.setViewportSize(desktop);
    for (const v of [...light.violations, ...dark.violations, ...small.violations]) {
      this.found.push(`${name}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target} ${n.failureSummary}`).join('\n')}`);
    }
  }

  // reachingOut says which texts and boxes are wider than the phone, so that a failure says what to mend.
  private reachingOut(): Promise<string> {
    return this.page.evaluate((width) => {
      const wide = document.documentElement.scrollWidth;
      if (wide <= width) return '';
      const out: string[] = [];
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
      for (let n = walk.nextNode(); n; n = walk.nextNode()) {
        const range = document.createRange();
        range.selectNode(n);
        const parent = n.parentElement!;
        if (range.getBoundingClientRect().right > width + 1 && !parent.closest('.admin-table')) out.push(`${parent.className}/${n.nodeName}: ${n.textContent!.trim().slice(0, 40)}`);
      }
      return `${wide} px wide on a phone: ${out.join('; ')}`;
    }, phone.width);
  }
}
