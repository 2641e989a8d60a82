// The staff sign in with an OpenID provider that is another site: there and back, again before something dangerous, out, and
// every way in which it comes to nothing.
import AxeBuilder from '@axe-core/playwright';
import { type APIRequestContext, test as base, expect, type Page } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { artifacts } from './lib/build';
import { clientID, clientSecret, Provider } from './lib/provider';
import { Till } from './lib/till';

interface Person {
  email: string;
  password: string;
}

const test = base.extend<object, { provider: Provider; till: Till }>({
  provider: [
    async ({}, use) => {
      const provider = await Provider.start();
      await use(provider);
      await provider.stop();
    },
    { scope: 'worker' },
  ],
  till: [
    async ({ provider }, use, worker) => {
      const till = await Till.start(`oidc-${worker.workerIndex}`, 0, {
        PORTATILL_OIDC_ISSUER: provider.issuer,
        PORTATILL_OIDC_CLIENT_ID: clientID,
        PORTATILL_OIDC_CLIENT_SECRET: clientSecret,
        PORTATILL_OIDC_LABEL: 'Example ID',
      });
      await use(till);
      await till.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test.use({ colorScheme: 'light' });

async function hire(till: Till): Promise<Person> {
  const email = `ada-${randomBytes(4).toString('hex')}@example.com`;
  return { email, ...JSON.parse(await till.command('admin', 'add', email, '--name', 'Ada Lovelace', '--json')) };
}

// there says who one is at the provider.
async function there(page: Page, email: string): Promise<void> {
  await page.getByLabel('Account').fill(email);
  await page.getByRole('button', { name: 'Sign in there' }).click();
}

async function signIn(page: Page, till: Till, email: string, at = '/admin'): Promise<void> {
  await page.goto(till.ready.base_url + at);
  await page.getByTestId('sign-in-oidc').click();
  await there(page, email);
}

// wayBack makes the round without a page, up to the address that the provider sends the browser back to.
async function wayBack(request: APIRequestContext, till: Till, email: string): Promise<string> {
  const away = await request.get(till.ready.base_url + '/admin/sign-in/oidc?other=1', { maxRedirects: 0 });
  const back = await request.post(away.headers().location, { form: { email }, maxRedirects: 0 });
  expect(back.headers().location).toContain('code=');
  return back.headers().location;
}

async function signOut(page: Page): Promise<void> {
  await page.getByTestId('me').locator('summary').click();
  await page.getByTestId('sign-out').click();
  await expect(page.getByTestId('sign-in')).toBeVisible();
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(artifacts, 'screenshots', `oidc-${name}.png`), fullPage: true });
}

// The tests of this file share one provider, and begin with nobody signed in there.
test.beforeEach(({ provider }) => provider.forget());

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('a person signs in with the provider, confirms with it before something dangerous, and signs out', async ({ page, till }) => {
      const who = await hire(till);
      await signIn(page, till, who.email, '/admin/audit');
      await expect(page).toHaveURL(/\/admin\/audit$/);
      await expect(page.getByTestId('me')).toContainText('Ada Lovelace');
      await expect(page.getByTestId('row').filter({ hasText: 'staff_openid_link' }).first()).toBeVisible();
      expect(await till.command('admin', 'list')).toMatch(new RegExp(`${who.email}.*linked`));

      await page.goto(till.ready.base_url + '/admin/again?next=/admin/staff');
      await page.getByTestId('again-oidc').click();
      await there(page, who.email);
      await expect(page).toHaveURL(/\/admin\/staff$/);
      await expect(page.getByRole('status')).toContainText('Thank you');
      const row = page.getByTestId('row').filter({ hasText: who.email });
      await expect(row.getByTestId('ways')).toHaveText('Password or Example ID');
      await signOut(page);
      await page.goto(till.ready.base_url + '/admin/staff');
      await expect(page.getByTestId('sign-in')).toBeVisible();
    });

    test('a person links an account whose address is another, and an operator unlinks it', async ({ page, till, browser, provider }) => {
      const who = await hire(till);
      await page.goto(till.ready.base_url + '/admin/account');
      await page.getByLabel('E-mail address').fill(who.email);
      await page.getByLabel('Password').fill(who.password);
      await page.getByTestId('sign-in').click();
      await page.getByTestId('link-oidc').click();
      const elsewhere = `else-${who.email}`;
      await there(page, elsewhere);
      await expect(page).toHaveURL(/\/admin\/account$/);
      await expect(page.getByTestId('oidc')).toContainText('Linked');
      await signOut(page);
      provider.forget();
      await signIn(page, till, elsewhere);
      await expect(page.getByTestId('me')).toContainText('Ada Lovelace');

      const operator = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await operator.goto(till.ready.base_url + '/admin/staff');
      await operator.getByLabel('E-mail address').fill(till.ready.admin_email);
      await operator.getByLabel('Password').fill(till.ready.admin_password);
      await operator.getByTestId('sign-in').click();
      const row = operator.getByTestId('row').filter({ hasText: who.email });
      await row.locator('summary').click();
      await row.getByTestId('unlink-oidc').click();
      await expect(operator.getByRole('status')).toContainText('was changed and is signed out everywhere');
      await expect(row.getByTestId('ways')).toHaveText('Password');
      await operator.context().close();
      await page.reload();
      await expect(page.getByTestId('sign-in')).toBeVisible();
    });
  });
}

test('a stranger is refused and may choose another account; who turns back is told so', async ({ page, till }) => {
  const who = await hire(till);
  await signIn(page, till, 'stranger@example.com');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You are not signed in');
  await page.getByTestId('go-on').click(); // another account
  await there(page, who.email);
  await expect(page.getByTestId('me')).toBeVisible();
  await signOut(page);

  await page.goto(till.ready.base_url + '/admin/sign-in/oidc?other=1');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You turned back');
  await page.getByRole('link', { name: 'Sign in with your password' }).click();
  await expect(page.getByTestId('sign-in')).toBeVisible();
});

test('a way back that this browser did not begin signs nobody in', async ({ page, till, request }) => {
  const who = await hire(till);
  const stolen = await wayBack(request, till, who.email);
  await page.goto(stolen);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('That sign-in was not begun here');
  await page.goto(till.ready.base_url + '/admin');
  await expect(page.getByTestId('sign-in')).toBeVisible();
});

test('a till whose provider is away starts, says so, takes passwords, and tries again', async ({ page }) => {
  test.setTimeout(120_000);
  const provider = await Provider.start();
  provider.away = true;
  const till = await Till.start('oidc-away', 0, {
    PORTATILL_OIDC_ISSUER: provider.issuer,
    PORTATILL_OIDC_CLIENT_ID: clientID,
    PORTATILL_OIDC_CLIENT_SECRET: clientSecret,
  });
  try {
    await page.goto(till.ready.base_url + '/admin');
    await page.getByRole('link', { name: 'Sign in with your company account' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('The provider does not answer');
    await picture(page, 'away');
    const doctor = JSON.parse(await till.command('doctor', '--json').catch((fault: Error) => fault.message.replace(/^[^{]*/, '').replace(/}[^}]*$/, '}')));
    expect(doctor.checks.find((c: { check: string }) => c.check === 'openid').what).toContain('answers 503');
    provider.away = false;
    const who = await hire(till);
    await expect(async () => {
      await page.goto(till.ready.base_url + '/admin/sign-in/oidc');
      await there(page, who.email);
    }).toPass();
    await expect(page.getByTestId('me')).toBeVisible();
  } finally {
    await till.stop();
    await provider.stop();
  }
});

test('axe finds nothing on its pages in either scheme, and nothing is wider than a phone', async ({ page, till }) => {
  test.setTimeout(300_000);
  const desktop = page.viewportSize()!;
  const found: string[] = [];
  const look = async (name: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(desktop);
      const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      expect(passes.length, `axe looked at ${name}`).toBeGreaterThan(5);
      for (const v of violations) found.push(`${name}, ${colorScheme}: ${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target} ${n.failureSummary}`).join('\n')}`);
      await picture(page, `${name}-${colorScheme}-desktop`);
      await page.setViewportSize({ width: 360, height: 780 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 360) found.push(`${name}: ${width} px wide on a phone`);
      await picture(page, `${name}-${colorScheme}-phone`);
    }
    await page.setViewportSize(desktop);
    await page.emulateMedia({ colorScheme: 'light' });
  };
  const who = await hire(till);
  await page.goto(till.ready.base_url + '/admin');
  await look('sign-in');
  await signIn(page, till, 'stranger@example.com');
  await look('refused');
  await page.goto(till.ready.base_url + '/admin/sign-in/oidc/return?code=x&state=y');
  await look('foreign');
  // The page that leads on, held back: it is there for a moment only.
  const held = await wayBack(page.request, till, who.email);
  await page.route('**/admin/sign-in/oidc/return?*', async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    const headers = { ...response.headers() };
    delete headers['refresh'];
    await route.fulfill({ response, headers });
  });
  await page.goto(held);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You are signed in');
  await look('leads-on');
  await page.unroute('**/admin/sign-in/oidc/return?*');
  await page.getByTestId('go-on').click();
  await expect(page.getByTestId('me')).toBeVisible();
  for (const at of ['again', 'account', 'staff']) {
    await page.goto(`${till.ready.base_url}/admin/${at}`);
    await look(at);
  }
  expect(found.join('\n')).toBe('');
});
