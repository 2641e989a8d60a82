// ServiceStack's clients from npm, as portals use them, against a running till.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { JsonServiceClient } from '@servicestack/client';

import { startTill } from '../lib/till.mjs';
import { emptyGenerated, load } from '../lib/types.mjs';

const old = createRequire(import.meta.url)('servicestack-client-1');

const clients = {
  'version 2': { make: (url) => new JsonServiceClient(url), calls: '/api/StripePaymentRequest' },
  'version 2 with useBasePath()': { make: (url) => new JsonServiceClient(url).useBasePath(), calls: '/json/reply/StripePaymentRequest' },
  'version 1': { make: (url) => new old.JsonServiceClient(url), calls: '/json/reply/StripePaymentRequest' },
};

let till;
let types;
let baskets = 0;

before(async () => {
  till = await startTill();
  emptyGenerated();
  types = await load(till.ready);
});
after(async () => {
  await till?.stop();
});

// cart is a request unlike every other, since the same one would be the same order.
function cart(change = {}) {
  baskets += 1;
  const { ready } = till;
  return new types.StripePaymentRequest({
    ICustomer: ready.i_customer,
    ShoppingInformation: [
      new types.ShoppingItem({ Title: 'SIP trunk', Quantity: 3, SetupFee: '10.10', MonthlyFee: 1.05, AdvancePeriod: 2, Currency: 'GBP', Key: 'trunk' }),
    ],
    SuccessUrl: `http://127.0.0.1:9/paid?basket=${baskets}`,
    CancelUrl: 'http://127.0.0.1:9/basket',
    ContentId: baskets,
    FeatureName: 'Clients',
    ...change,
  });
}

// refusal is what a client makes of an error.
async function refusal(call) {
  try {
    await call;
  } catch (error) {
    assert.ok(error.responseStatus, `not an error of ServiceStack's: ${error}`);
    return error.responseStatus;
  }
  assert.fail('it was not refused');
}

for (const [name, { make, calls }] of Object.entries(clients)) {
  describe(`the client of ${name}`, () => {
    let client;
    before(() => {
      client = make(till.ready.base_url);
      client.bearerToken = till.ready.license;
    });

    test(`calls ${calls} and gets an order and the address of its page`, async () => {
      const request = cart();
      let called = '';
      client.requestFilter = (r) => {
        called = r.url;
      };
      const r = await client.post(request);
      assert.equal(called, till.ready.base_url + calls);
      assert.equal(r.Success, true);
      assert.equal(r.Status, 'open');
      assert.match(r.OrderId, /^ord_/);
      assert.ok(r.Url.startsWith(`${till.ready.base_url}/pay/`), r.Url);
      assert.equal(r.Amount, 36.6); // 3 × (10.10 + 1.05 × 2)
      assert.deepEqual([r.Currency, r.ContentId, r.Lines.length, r.Lines[0].Key], ['GBP', request.ContentId, 1, 'trunk']);
      const page = await fetch(r.Url);
      assert.equal(page.status, 200);
    });

    test('may put the licence key into the body', async () => {
      const anonymous = make(till.ready.base_url);
      const r = await anonymous.post(cart({ License: till.ready.license }));
      assert.equal(r.Success, true);
      assert.equal(r.License, undefined);
    });

    test('sends one way, and the order is there', async () => {
      const request = cart();
      await client.sendOneWay(request);
      const r = await client.post(request);
      assert.equal(r.Replayed, true);
    });

    test('sends a batch and gets as many orders', async () => {
      const rs = await client.sendAll([cart(), cart(), cart()]);
      assert.equal(rs.length, 3);
      assert.equal(new Set(rs.map((r) => r.OrderId)).size, 3);
    });

    test('sends a batch one way, and every order is there', async () => {
      const requests = [cart(), cart()];
      await client.sendAllOneWay(requests);
      for (const request of requests) assert.equal((await client.post(request)).Replayed, true);
    });

    test('learns which field of a request is wrong', async () => {
      const status = await refusal(client.post(cart({ ShoppingInformation: [new types.ShoppingItem({ Title: 'x', Quantity: 'two', Currency: 'GBP' })] })));
      assert.equal(status.errorCode, 'SerializationException');
      assert.equal(status.errors[0].fieldName, 'ShoppingInformation[0].Quantity');
      assert.ok(status.message.length > 10, status.message);
    });

    test('learns what the product refuses', async () => {
      const status = await refusal(client.post(cart({ SuccessUrl: 'https://elsewhere.example/paid' })));
      assert.equal(status.errorCode, 'OriginNotAllowed');
      assert.equal(status.errors[0].fieldName, 'SuccessUrl');
    });

    test('learns which request of a batch ended it', async () => {
      const first = cart();
      const status = await refusal(client.sendAll([first, cart({ CancelUrl: 'https://elsewhere.example/' })]));
      assert.equal(status.errorCode, 'OriginNotAllowed');
      assert.equal((await client.post(first)).Replayed, true); // nothing is undone
    });

    test('is told that its key is unknown', async () => {
      const stranger = make(till.ready.base_url);
      stranger.bearerToken = 'ptl_nobody';
      assert.equal((await refusal(stranger.post(cart()))).errorCode, 'InvalidLicense');
    });
  });
}
