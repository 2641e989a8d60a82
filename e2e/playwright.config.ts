import { defineConfig, devices } from '@playwright/test';

// The browser is Debian's Chromium; nothing is downloaded. The flags keep it from calling home and let it run as root
// on a machine without a screen, which is what CI is.
export const chromium = {
  executablePath: '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

export default defineConfig({
  testDir: '.',
  outputDir: 'artifacts/results',
  globalSetup: './lib/build.ts',
  // Each worker has a till, a Stripe double and a portal of its own, so that workers cannot disturb each other. Within a
  // worker tests share them one after the other.
  workers: 2,
  fullyParallel: false,
  // A test that passes at the second try has found something; it is not a pass.
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    browserName: 'chromium',
    launchOptions: chromium,
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'product', testMatch: '*.spec.ts', testIgnore: ['screenshots.spec.ts', 'screenshots_staff.spec.ts', 'pictures.spec.ts', 'weight.spec.ts'] },
    { name: 'screenshots', testMatch: ['screenshots.spec.ts', 'screenshots_staff.spec.ts'] },
    // After all others and beside none: how soon a page is drawn says nothing on a machine that draws other pages too.
    { name: 'weight', testMatch: 'weight.spec.ts', dependencies: ['product', 'screenshots'] },
    // What docs/ shows. Another machine's letters are a little different, so that only who makes pictures compares.
    ...(process.env.PORTATILL_PICTURES ? [{ name: 'pictures', testMatch: 'pictures.spec.ts', snapshotPathTemplate: '../docs/pictures/{arg}{ext}' }] : []),
  ],
});
