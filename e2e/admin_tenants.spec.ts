// What operators and a tenant's administrators do about tenants in a browser: properties, keys, branding, the doctor, the
// settings, the audit log; with and without a script, and with axe on each page.
import type { Page } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';

import { Looker } from './lib/look';
import { expect, test } from './lib/test';
import { broadband, newOrder } from './lib/portal';
import type { Till } from './lib/till';

// A trace of each step would cost more than the checks; the picture of a failure says enough.
test.use({ colorScheme: 'light', trace: 'off' });

async function signIn(page: Page, till: Till, at: string, ...flags: string[]): Promise<void> {
  const email = `tess-${randomBytes(4).toString('hex')}@example.com`;
  const made = JSON.parse(await till.command('admin', 'add', email, '--name', 'Tess Ter', '--json', ...flags)) as { password: string };
  await page.goto(till.ready.base_url + at);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(made.password);
  await page.getByTestId('sign-in').click();
  await expect(page.getByTestId('nav')).toBeVisible();
}

const newSlug = () => `shop-${randomBytes(4).toString('hex')}`;

async function addTenant(page: Page, till: Till, slug: string, name: string): Promise<string> {
  await page.goto(`${till.ready.base_url}/admin/tenants/new`);
  await page.getByLabel('Slug').fill(slug);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('VAT rate').fill('20');
  await page.getByTestId('add').click();
  await expect(page.getByTestId('secret')).toHaveCount(2);
  return page.getByTestId('secret').first().innerText();
}

// onePixel is a PNG file of one colour.
function picture(red: number, green: number, blue: number): Buffer {
  const crcTable = [...Array(256).keys()].map((n) => [...Array(8)].reduce((c: number) => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n));
  const crc = (data: Buffer) => ([...data].reduce((c, byte) => crcTable[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
  const chunk = (kind: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind), content]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(content.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const header = Buffer.from([0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([Buffer.from([0]), Buffer.concat([...Array(16)].map(() => Buffer.from([red, green, blue])))]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat([...Array(16)].map(() => row)))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with a script' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });
    test.setTimeout(180_000); // each is a long walk, and one asks the doctor

    test('a tenant is added, found, changed, suspended and resumed', async ({ page, till }) => {
      await signIn(page, till, '/admin/tenants');
      const slug = newSlug();
      await page.getByTestId('add-tenant').click();
      await page.getByLabel('Slug').fill('Bad Slug');
      await page.getByLabel('VAT rate').fill('twenty');
      await page.getByTestId('add').click();
      await expect(page.getByLabel('Slug')).toHaveAttribute('aria-invalid', 'true');
      await expect(page.getByLabel('VAT rate')).toHaveValue('twenty');
      await addTenant(page, till, slug, 'Nordwind & Söhne');

      await page.goto(`${till.ready.base_url}/admin/tenants`);
      await page.getByLabel('Name or slug').fill(slug.toUpperCase());
      await page.getByRole('button', { name: 'Search' }).click();
      await expect(page.getByTestId('row')).toHaveCount(1);
      await expect(page.getByTestId('row')).toContainText('Not ready');
      await page.getByRole('link', { name: 'Nordwind & Söhne' }).click();

      const prices = page.getByTestId('form-prices');
      await prices.getByLabel('VAT rate').fill('101');
      await prices.getByRole('button', { name: 'Save' }).click();
      await expect(prices.getByLabel('VAT rate')).toHaveValue('101');
      await expect(prices.getByText('Must be between 0 and 100 per cent.')).toBeInViewport();
      await prices.getByLabel('VAT rate').fill('7.5');
      await prices.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByRole('status')).toContainText('Saved.');
      await expect(prices.getByLabel('VAT rate')).toHaveValue('7.5');
      const origins = page.getByTestId('form-returns');
      await origins.getByLabel('Allowed return origins').fill('https://one.example\nhttps://two.example');
      await origins.getByRole('button', { name: 'Save' }).click();
      await expect(origins.getByLabel('Allowed return origins')).toHaveValue('https://one.example\nhttps://two.example');
      const shown = JSON.parse(await till.command('tenant', 'show', slug, '--json')) as Record<string, unknown>;
      expect(shown['vat-rate']).toBe('7.5');
      expect(shown['return-origins']).toEqual(['https://one.example', 'https://two.example']);

      await page.getByTestId('suspend').click();
      await page.getByRole('link', { name: 'Cancel' }).click();
      await page.getByTestId('suspend').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByRole('status')).toContainText('is suspended');
      await page.getByTestId('resume').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByTestId('suspend')).toBeVisible();

      await page.goto(`${till.ready.base_url}/admin/audit?what=tenant_suspend`);
      await expect(page.getByTestId('row').first()).toContainText('active → suspended');
    });

    test('keys are made, tried, rotated and ended, and shown once', async ({ page, till }) => {
      await signIn(page, till, '/admin/tenants');
      const slug = newSlug();
      const first = await addTenant(page, till, slug, 'Key Shop');
      await page.getByRole('link', { name: "To the tenant's settings" }).click();
      await expect(page.getByText(first)).toHaveCount(0);

      await page.getByTestId('make-license').click();
      const second = await page.getByTestId('secret').innerText();
      expect(second).toMatch(/^ptl_/);
      await page.getByRole('link', { name: `ends in ${first.slice(-4)}` }).click();
      await page.getByTestId('confirm').click();
      await expect(page.getByRole('status')).toContainText('is revoked');
      await expect(page.getByText(second)).toHaveCount(0);

      const stripe = page.getByTestId('stripe-form');
      await stripe.getByLabel('New key').fill('pk_test_0123456789abcdef');
      await stripe.getByRole('button', { name: 'Test and store' }).click();
      await expect(page.getByRole('alert').first()).toContainText('publishable');
      const key = `sk_test_${randomBytes(12).toString('hex')}`;
      await stripe.getByLabel('New key').fill(key);
      await stripe.getByRole('button', { name: 'Test only' }).click();
      await expect(page.getByTestId('checks').getByTestId('row')).toHaveCount(3);
      await expect(page.getByText('It cannot take money yet: it has no Stripe key')).toBeVisible();
      await stripe.getByLabel('New key').fill(key);
      await stripe.getByRole('button', { name: 'Test and store' }).click();
      await expect(page.getByTestId('shown-once')).toContainText('The Stripe key is stored.');
      expect(await page.content()).not.toContain(key);

      // The endpoint is missing; the doctor makes it and keeps its secret.
      await page.getByTestId('fix').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByTestId('standing')).toContainText('Looked at', { timeout: 30_000 });
      await expect(page.getByTestId('fix')).toHaveCount(0);
      const shown = JSON.parse(await till.command('tenant', 'show', slug, '--json')) as { ready: boolean };
      expect(shown.ready).toBe(true);

      await page.goto(`${till.ready.base_url}/admin/tenants/${slug}/keys`);
      await page.getByLabel('New webhook secret').fill('whsec_0123456789abcdefghij');
      await page.getByRole('button', { name: 'Store beside the newest' }).click();
      await expect(page.getByRole('status')).toContainText('stays good beside it');
      await page.getByRole('link', { name: 'End the older one' }).click();
      await page.getByTestId('confirm').click();
      await expect(page.getByText('Older', { exact: true })).toHaveCount(0);
      await page.getByTestId('rotate-signing').click();
      await page.getByTestId('confirm').click();
      await expect(page.getByTestId('secret')).toHaveText(/^sig_/);
    });

    test('the branding is previewed, saved and on the customers’ pages', async ({ page, till, portal }) => {
      await signIn(page, till, `/admin/tenants/${till.ready.tenant}/branding`, '--role', 'tenant_admin', '--tenant', till.ready.tenant);
      const before = { name: await page.getByLabel('Name on pages').inputValue(), accent: await page.getByLabel('Accent colour').inputValue() };
      const preview = page.getByTestId('preview');
      const button = preview.locator('.brand-light .btn');
      await page.getByLabel('Name on pages').fill('Ümlaut & Co');
      await page.getByLabel('Accent colour').fill('#ffe14d');
      await page.getByLabel('Logo', { exact: true }).setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: picture(200, 30, 30) });
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Preview' }).click();
      await expect(preview.locator('[data-brand=name]').first()).toHaveText('Ümlaut & Co');
      await expect(button).toHaveCSS('background-color', 'rgb(255, 225, 77)');
      await expect(button).toHaveCSS('color', 'rgb(0, 0, 0)');
      await expect(preview.locator('img.logo').first()).toBeVisible();
      await expect(preview.locator('img.logo').first()).toHaveJSProperty('naturalWidth', 16);
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByRole('status')).toContainText('saved');

      const order = await newOrder(till, portal, [broadband]);
      await page.goto(order.url);
      await expect(page.getByTestId('tenant')).toContainText('Ümlaut & Co');
      await expect(page.getByTestId('pay')).toHaveCSS('background-color', 'rgb(255, 225, 77)');
      const logo = page.locator('header img.logo');
      await expect(logo).toHaveAttribute('src', /^\/logo\/demo\/[0-9a-f]{16}$/);
      await expect(logo).toHaveJSProperty('naturalWidth', 16);

      await page.goto(`${till.ready.base_url}/admin/tenants/${till.ready.tenant}/branding`);
      await page.getByLabel('Name on pages').fill(before.name);
      await page.getByLabel('Accent colour').fill('red');
      await page.getByLabel('No logo').check();
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByLabel('Accent colour')).toHaveAttribute('aria-invalid', 'true');
      await page.getByLabel('Accent colour').fill(before.accent);
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByLabel('Accent colour')).toHaveValue(before.accent);
      await expect(preview.locator('img.logo').first()).toBeHidden();
    });
  });
}

test("a tenant's administrator sees their tenant and no other", async ({ page, till }) => {
  await signIn(page, till, '/admin', '--role', 'tenant_admin', '--tenant', till.ready.tenant);
  const nav = page.getByTestId('nav');
  await expect(nav.getByRole('link', { name: 'Tenants', exact: true })).toHaveCount(0);
  await expect(nav.getByRole('link', { name: 'Settings' })).toHaveCount(0);
  await nav.getByRole('link', { name: 'Your tenant' }).click();
  await expect(page.getByTestId('form-prices')).toBeVisible();
  await expect(page.getByTestId('suspend')).toHaveCount(0);
  await nav.getByRole('link', { name: 'Doctor' }).click();
  await page.getByTestId('run').click();
  await expect(page.getByTestId('standing')).toContainText('Looked at', { timeout: 30_000 });
  await expect(page.getByRole('heading', { level: 2 })).toHaveCount(1);
});

test('lists are files, too', async ({ page, till }) => {
  await signIn(page, till, '/admin/tenants');
  for (const path of ['/admin/tenants', '/admin/audit?what=sign_in']) {
    await page.goto(till.ready.base_url + path);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
    expect(file.suggestedFilename()).toMatch(/^(tenants|audit)\.csv$/);
  }
});

test.describe('every page', () => {
  test('axe finds no violation on these pages in either scheme, and nothing is wider than a phone', async ({ page, till }) => {
    test.setTimeout(600_000); // some thirty pages, each looked at three times
    const looker = new Looker(page);
    const look = (name: string) => looker.at(name);
    const base = till.ready.base_url;
    const demo = `/admin/tenants/${till.ready.tenant}`;
    await signIn(page, till, '/admin/tenants');
    await till.command('tenant', 'add', newSlug()); // one that is not ready
    for (const path of ['/admin/tenants', '/admin/tenants?q=nobody', '/admin/tenants/new', demo, `${demo}/keys`, `${demo}/keys/signing`, `${demo}/keys/outbound`, `${demo}/keys/replace`, `${demo}/branding`, `${demo}/suspend`,
      `/admin/doctor/fix?tenant=${till.ready.tenant}`,
      '/admin/doctor', '/admin/settings', '/admin/audit', '/admin/audit?what=none', '/admin/audit?since=never', '/admin/tenants?state=none']) {
      await page.goto(base + path);
      await look(path);
    }
    await page.goto(`${base}/admin/tenants/new`);
    await page.getByLabel('Slug').fill('Bad Slug');
    await page.getByTestId('add').click();
    await look('a bad tenant');
    await addTenant(page, till, newSlug(), 'Axe Shop');
    await look('a new tenant');
    await page.goto(`${base}${demo}/keys`);
    await page.getByTestId('test-present').click();
    await look('a key that was tried');
    await page.goto(`${base}${demo}/branding`);
    // Any accent is held to its contrast by internal/branding's own test; here one that is hard in the light and one in the dark.
    for (const accent of ['#ffe14d', '#101010']) {
      await page.getByLabel('Accent colour').fill(accent);
      await page.getByRole('button', { name: 'Preview' }).click();
      await look(`branding in ${accent}`);
    }
    await page.goto(`${base}/admin/doctor`);
    await page.getByTestId('run').click();
    await expect(page.getByTestId('standing')).toContainText('Looked at', { timeout: 60_000 });
    for (const fine of await page.locator('details.doctor-fine summary').all()) await fine.click();
    await look('the doctor');
    expect(looker.found.join('\n')).toBe('');
  });
});
