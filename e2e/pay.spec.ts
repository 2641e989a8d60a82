import { cards, orderPage, payWith, returnPage, toStripe } from './lib/pages';
import { broadband, newCustomer, newOrder, send, signatureHolds } from './lib/portal';
import { expect, test } from './lib/test';

test('a customer pays with 4242, ends on SuccessUrl with a signature that holds, and is credited', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  expect(order.response.Status).toBe('open');
  expect(Number(order.response.Amount)).toBe(14.4);

  await page.goto(order.url);
  const review = orderPage(page);
  await expect(review.tenant).toBeVisible();
  await expect(review.lines).toHaveCount(1);
  await expect(review.lines).toContainText('Fibre broadband 150');
  await expect(review.explanations).toHaveCount(1);
  await expect(review.total).toHaveText('£14.40');
  await expect(review.pay).toContainText('£14.40');

  await review.pay.click();
  await expect(page).toHaveURL((url) => url.origin === till.ready.sandbox_url);
  await payWith(page, cards.visa);

  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.credit(order.iCustomer)).toBe('14.40');

  await returnPage(page).onward.click();
  await expect(page).toHaveURL((url) => url.origin === portal.origin && url.pathname === '/success');
  const [visit] = portal.visitsOf(order.basket);
  const query = new URLSearchParams(visit.query);
  expect(visit.query).toContain(`basket=${order.basket}&note=a%20b&`); // the portal's own, untouched
  expect(query.get('order')).toBe(order.id);
  expect(query.get('status')).toBe('paid');
  expect(query.get('amount')).toBe('14.40');
  expect(query.get('currency')).toBe('GBP');
  expect(Math.abs(Number(query.get('ts')) - Date.now() / 1000)).toBeLessThan(120);
  expect(signatureHolds(visit.query, till.ready.signing_secret)).toBe(true);
  expect(signatureHolds(visit.query.replace('amount=14.40', 'amount=1.40'), till.ready.signing_secret)).toBe(false);
  expect(signatureHolds(visit.query, `${till.ready.signing_secret}x`)).toBe(false);

  expect(await till.sandbox.payments(order.id)).toHaveLength(1);
});

test('a paid customer is led on to SuccessUrl without doing anything', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal);
  await toStripe(page, order.url);
  await payWith(page, cards.visa);
  await page.waitForURL((url) => url.origin === portal.origin, { timeout: 30_000 });
  expect(signatureHolds(portal.visitsOf(order.basket)[0].query, till.ready.signing_secret)).toBe(true);
});

test('the CSV of the original service, JSV inside its cells, leads to a page that can be paid', async ({ page, till, portal }) => {
  const { iCustomer, basket } = newCustomer();
  const header =
    'Customer,apiSingleUseToken,ICustomer,StripeSourceId,ShoppingInformation,GetCustomerCardInformation,CustomerId,CardInfo,' +
    'IsDelete,SuccessUrl,CancelUrl,PaymentMethod,License,ContentId,FeatureName';
  const customer =
    `"{CustomerAddress:{Address1:12 St James Square,City:London,Postcode:SW1Y 4JH,Country:GB},` +
    `CustomerContact:{Email:ada.${iCustomer}@example.com},PersonalInformation:{FirstName:Ada,LastName:Byron},ICustomer:${iCustomer},IParent:0}"`;
  const cart =
    '"[{Title:""Line rental, 2 months"",Quantity:1,MonthlyFee:9.90,SetupFee:0,DisplayIndex:1,Key:rental,AdditionalInformation:[Paid in advance],' +
    'PartId:12,VatApplicable:False,Currency:GBP,TransactionCharge:0,VoucherCredit:0,AdvancePeriod:2,ItemSubTotal:19.80}]"';
  const row = [customer, '', iCustomer, '', cart, 'False', '', '', 'False', portal.successUrl(basket), portal.cancelUrl(basket), '', till.ready.license, 7, 'Line rental'];
  const answer = await fetch(`${till.ready.base_url}/csv/reply/StripePaymentRequest`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/csv' },
    body: `${header}\r\n${row.join(',')}\r\n`,
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  const url = /https?:\/\/[^\s",]+\/pay\/[\w-]+/.exec(text)?.[0];
  expect(url, `no Url in ${text}`).toBeTruthy();

  await page.goto(url!);
  await expect(orderPage(page).lines).toContainText('Line rental, 2 months');
  await expect(orderPage(page).total).toHaveText('£19.80');
  await orderPage(page).pay.click();
  await payWith(page, cards.visa);
  await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
  expect(await till.credit(iCustomer)).toBe('19.80');
});

test('what a voucher covers needs no card: the customer goes straight on', async ({ page, till, portal }) => {
  const order = await newOrder(till, portal, [{ ...broadband, VoucherCredit: 12 }]);
  expect(Number(order.response.Amount)).toBe(0);
  await page.goto(order.url);
  if ((await orderPage(page).pay.count()) > 0) await orderPage(page).pay.click();
  else if ((await returnPage(page).onward.count()) > 0) await returnPage(page).onward.click();
  await page.waitForURL((url) => url.origin === portal.origin);
  const visit = portal.visitsOf(order.basket)[0];
  expect(new URLSearchParams(visit.query).get('status')).toBe('paid');
  expect(signatureHolds(visit.query, till.ready.signing_secret)).toBe(true);
  expect(await till.sandbox.ofOrder('checkout.session', order.id)).toHaveLength(0);
});

test('a request without the licence key is refused and names the field', async ({ till, portal }) => {
  const { iCustomer, basket } = newCustomer();
  const request = { ...portal.request(till, basket, iCustomer, [broadband]), License: 'not-a-key' };
  const { status, answer } = await send(till, request);
  expect(status).toBe(401);
  expect(answer.ResponseStatus?.ErrorCode).toBe('InvalidLicense');
  expect(JSON.stringify(answer)).not.toContain('not-a-key');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a customer pays, is told so, and is led on', async ({ page, till, portal }) => {
    const order = await newOrder(till, portal);
    await page.goto(order.url);
    await expect(orderPage(page).total).toHaveText('£14.40');
    await orderPage(page).pay.click();
    await payWith(page, cards.visa);
    await expect(returnPage(page).status).toHaveAttribute('data-status', 'paid');
    await page.waitForURL((url) => url.origin === portal.origin, { timeout: 30_000 });
    expect(signatureHolds(portal.visitsOf(order.basket)[0].query, till.ready.signing_secret)).toBe(true);
    expect(await till.credit(order.iCustomer)).toBe('14.40');
  });
});
