// Pictures of every page for people to look at, in artifacts/screenshots: NAME-SCHEME-DEVICE.png.
import path from 'node:path';

import { artifacts } from './lib/build';
import { test } from './lib/test';
import { tour } from './lib/tour';

for (const [device, width, height] of [
  ['desktop', 1280, 800],
  ['phone', 390, 844],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`${device}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height }, deviceScaleFactor: device === 'phone' ? 2 : 1 });

      test('pictures of every page', async ({ page, till, portal }) => {
        test.setTimeout(120_000);
        for await (const name of tour(page, till, portal)) {
          await page.screenshot({ path: path.join(artifacts, 'screenshots', `${name}-${colorScheme}-${device}.png`), fullPage: true });
        }
      });
    });
  }
}
