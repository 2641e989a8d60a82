// What the staff do in a browser: sign in, with and without an authenticator app, and out; and axe on each of their pages.
import type { Page } from '@playwright/test';
import { createHmac, randomBytes } from 'node:crypto';

import { Looker } from './lib/look';
import { expect, test } from './lib/test';
import type { Till } from './lib/till';

// A trace of each step would cost more than the checks; the picture of a failure says enough.
test.use({ colorScheme: 'light', trace: 'off' });

interface Person {
  email: string;
  password: string;
}

// hire makes a person of the staff, as an operator does at the command line.
async function hire(till: Till, ...flags: string[]): Promise<Person> {
  const email = `ada-${randomBytes(4).toString('hex')}@example.com`;
  const made = JSON.parse(await till.command('admin', 'add', email, '--name', 'Ada Lovelace', '--json', ...flags)) as Person;
  expect(made.password.length).toBeGreaterThan(20);
  return { email, password: made.password };
}

async function signIn(page: Page, till: Till, who: Person, at = '/admin'): Promise<void> {
  await page.goto(till.ready.base_url + at);
  await page.getByLabel('E-mail address').fill(who.email);
  await page.getByLabel('Password').fill(who.password);
  await page.getByTestId('sign-in').click();
}

async function signOut(page: Page): Promise<void> {
  await page.getByTestId('me').locator('summary').click();
  await page.getByTestId('sign-out').click();
  await expect(page.getByTestId('sign-in')).toBeVisible();
}

// code is RFC 6238's, of the time step so many from now.
function code(secret: string, steps = 0): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const c of secret.replace(/[ =]/g, '')) bits += alphabet.indexOf(c).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// pair turns the authenticator app on and returns its secret and the recovery codes.
async function pair(page: Page): Promise<{ secret: string; codes: string[] }> {
  await page.getByTestId('me').locator('summary').click();
  await page.getByTestId('me').getByRole('link', { name: 'Your account' }).click();
  await page.getByTestId('app-on').click();
  const secret = await page.getByTestId('app-secret').innerText();
  await page.getByRole('textbox', { name: 'Code' }).fill('000000');
  await page.getByTestId('app-confirm').click();
  await expect(page.getByRole('alert')).toContainText('The code is not right');
  await page.getByRole('textbox', { name: 'Code' }).fill(code(secret));
  await page.getByTestId('app-confirm').click();
  const codes = await page.getByTestId('recovery-code').allInnerTexts();
  expect(codes).toHaveLength(10);
  return { secret, codes };
}

test('the login that serve prints signs in, and a wrong password does not', async ({ page, till }) => {
  const printed = { email: till.ready.admin_email, password: till.ready.admin_password };
  await signIn(page, till, { ...printed, password: 'not the password' });
  await expect(page.getByRole('alert')).toContainText('is not right');
  await expect(page.getByTestId('nav')).toHaveCount(0);
  await signIn(page, till, printed);
  await expect(page.getByTestId('nav')).toBeVisible();
  await signOut(page);
  await page.goto(till.ready.base_url + '/admin');
  await expect(page.getByTestId('sign-in')).toBeVisible();
});

test('a person pairs an app, and then signs in with its code or a recovery code, each once', async ({ page, till }) => {
  const who = await hire(till);
  await signIn(page, till, who);
  const { secret, codes } = await pair(page);
  await signOut(page);

  // The present step's code was taken by the pairing; the next one is within a clock's error.
  await signIn(page, till, who);
  await page.getByRole('textbox', { name: 'Code' }).fill(code(secret, -1));
  await page.getByTestId('give-code').click();
  await expect(page.getByRole('alert')).toContainText('The code is not right, or was used before');
  await page.getByRole('textbox', { name: 'Code' }).fill(code(secret, 1));
  await page.getByTestId('give-code').click();
  await expect(page.getByTestId('nav')).toBeVisible();
  await signOut(page);

  await signIn(page, till, who);
  await page.getByRole('textbox', { name: 'Code' }).fill(codes[0].toUpperCase());
  await page.getByTestId('give-code').click();
  await expect(page.getByTestId('nav')).toBeVisible();
  await signOut(page);
  await signIn(page, till, who);
  await page.getByRole('textbox', { name: 'Code' }).fill(codes[0]);
  await page.getByTestId('give-code').click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByTestId('nav')).toHaveCount(0);
});

test('a session that was ended elsewhere is over at the next click', async ({ page, till }) => {
  const who = await hire(till, '--role', 'tenant_viewer', '--tenant', till.ready.tenant);
  await signIn(page, till, who, '/admin/account');
  await expect(page).toHaveURL(/\/admin\/account$/);
  await expect(page.getByTestId('nav').getByRole('link', { name: 'Staff' })).toHaveCount(0);
  await till.command('admin', 'suspend', who.email);
  await page.reload();
  await expect(page.getByTestId('sign-in')).toBeVisible();
  await signIn(page, till, who);
  await expect(page.getByRole('alert')).toBeVisible();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('an operator signs in, adds somebody, and that person signs in', async ({ page, till }) => {
    await signIn(page, till, await hire(till), '/admin/staff');
    const email = `bob-${randomBytes(4).toString('hex')}@example.com`;
    await page.getByLabel('E-mail address').fill(email);
    await page.getByTestId('add-staff').click();
    const password = await page.getByTestId('new-password').innerText();
    await expect(page.getByTestId('row').filter({ hasText: email })).toBeVisible();
    await page.goto(till.ready.base_url + '/admin/audit');
    await expect(page.getByTestId('row').first()).toContainText('staff_add');
    await signOut(page);
    await signIn(page, till, { email, password });
    await expect(page.getByTestId('nav')).toBeVisible();
  });
});

test.describe('every page', () => {
  test('axe finds no violation on the staff pages in either scheme, and nothing is wider than a phone', async ({ page, till }) => {
    test.setTimeout(180_000);
    const looker = new Looker(page);
    const look = (name: string) => looker.at(name);
    const who = await hire(till);
    await page.goto(till.ready.base_url + '/admin');
    await look('sign-in');
    await signIn(page, till, { ...who, password: 'wrong' });
    await look('sign-in refused');
    await signIn(page, till, who);
    for (const path of ['/account', '/account/app', '/again', '/staff', '/nothing']) {
      await page.goto(`${till.ready.base_url}/admin${path}`);
      await look(`/admin${path}`);
    }
    await page.goto(`${till.ready.base_url}/admin/again`);
    // A form that was sent ten minutes after the sign-in comes along like this; nobody waits for that in a test.
    await page.locator('form[action="/admin/again"]').evaluate((form) => {
      for (const [name, value] of [
        ['kept', '/admin/staff'],
        ['kept.email', 'kept@example.com'],
      ]) form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
    });
    await page.getByLabel('Password').fill(who.password);
    await page.getByTestId('again').click();
    await expect(page.getByTestId('send-kept')).toBeVisible();
    await look('a form that was kept');
    await page.goto(`${till.ready.base_url}/admin/staff`);
    await page.getByText('Change', { exact: false }).filter({ has: page.locator('.sr-only') }).first().click();
    await look('a person being changed');
    await page.getByLabel('E-mail address').fill(`eve-${randomBytes(4).toString('hex')}@example.com`);
    await page.getByTestId('add-staff').click();
    await look('somebody added');
    await page.goto(`${till.ready.base_url}/admin`);
    await pair(page);
    await look('recovery codes');
    await page.goto(`${till.ready.base_url}/admin/account`);
    await look('account with app');
    await signOut(page);
    await signIn(page, till, who);
    await look('the code');
    expect(looker.found.join('\n')).toBe('');
  });
});

test('on a phone the navigation folds away', async ({ page, till }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, till, await hire(till));
  const nav = page.getByTestId('nav');
  await expect(nav.getByRole('link', { name: 'Audit' })).toHaveCount(0);
  await nav.getByText('Menu').click();
  await nav.getByRole('link', { name: 'Audit' }).click();
  await expect(page).toHaveURL(/\/admin\/audit$/);
});
