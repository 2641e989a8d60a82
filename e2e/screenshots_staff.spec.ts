// Pictures of every staff page with the demo's data, in artifacts/screenshots: staff-NAME-SCHEME-DEVICE.png.
import path from 'node:path';

import { artifacts } from './lib/build';
import { staffTour, test } from './lib/demo';

for (const [device, width, height] of [
  ['desktop', 1280, 800],
  ['phone', 360, 780],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`${device}, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height }, deviceScaleFactor: device === 'phone' ? 2 : 1 });

      test('pictures of every staff page', async ({ page, demo }) => {
        test.setTimeout(180_000);
        for await (const name of staffTour(page, demo)) {
          await page.screenshot({ path: path.join(artifacts, 'screenshots', `${name}-${colorScheme}-${device}.png`), fullPage: true });
        }
      });
    });
  }
}
