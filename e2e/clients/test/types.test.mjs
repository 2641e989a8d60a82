// ServiceStack's command-line tool from npm, and what TypeScript says to the files that it saves.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startTill } from '../lib/till.mjs';
import { compile, emptyGenerated, generated, tool, write } from '../lib/types.mjs';

const read = (name) => readFileSync(path.join(generated, name), 'utf8');

// What a portal's developer writes; the answer's type must follow from the request's.
const portal = (library) => `
import { JsonServiceClient } from '${library}';
import { StripePaymentRequest, StripePaymentResponse, ShoppingItem } from './dtos.js';

export async function pay(url: string): Promise<string> {
  const client = new JsonServiceClient(url);
  const request = new StripePaymentRequest({
    ICustomer: 7,
    ShoppingInformation: [new ShoppingItem({ Title: 'SIP trunk', Quantity: 1, MonthlyFee: '9.90', AdditionalInformation: ['a'] })],
    SuccessUrl: 'https://shop.example/paid',
  });
  const response: StripePaymentResponse = await client.post(request);
  const batch: StripePaymentResponse[] = await client.sendAll([request]);
  await client.sendOneWay(request);
  const amount: number | undefined = batch[0]!.Amount;
  return (response.Url ?? '') + amount + response.Lines?.[0]?.Explanation + request.getTypeName() + request.getMethod();
}
`;

describe('@servicestack/cli', () => {
  let till;
  before(async () => {
    till = await startTill();
    emptyGenerated();
    write('package.json', '{"type":"module"}');
  });
  after(async () => {
    await till?.stop();
  });

  test('saves TypeScript that compiles under --strict with both clients', async () => {
    assert.match(await tool('typescript-ref', till.ready.base_url), /Saved to: dtos\.ts/);
    for (const library of ['@servicestack/client', 'servicestack-client-1']) {
      write('portal.ts', portal(library));
      assert.equal(await compile(['portal.ts'], '--noEmit'), '', library);
    }
  });

  test('saves TypeScript that tells a wrong request', async () => {
    await tool('typescript-ref', till.ready.base_url, 'dtos.ts');
    write('wrong.ts', "import { StripePaymentRequest } from './dtos.js';\nnew StripePaymentRequest({ ICustomer: 'seven' });\nnew StripePaymentRequest({ Nope: 1 });\n");
    const complaints = await compile(['wrong.ts'], '--noEmit');
    assert.match(complaints, /wrong\.ts\(2,/);
    assert.match(complaints, /wrong\.ts\(3,/);
  });

  test('keeps the options that a developer chose when it updates a file', async () => {
    await tool('typescript-ref', till.ready.base_url, 'shop.dtos.ts');
    const chosen = read('shop.dtos.ts').replace('//GlobalNamespace: ', 'GlobalNamespace: Shop').replace('//AddDescriptionAsComments: True', 'AddDescriptionAsComments: False');
    writeFileSync(path.join(generated, 'shop.dtos.ts'), chosen);
    for (const round of [1, 2]) {
      assert.match(await tool('typescript-ref', 'shop.dtos.ts'), /Updated: shop\.dtos\.ts/);
      assert.match(read('shop.dtos.ts'), /export namespace Shop \{/, `round ${round}`);
      assert.doesNotMatch(read('shop.dtos.ts'), /\/\*\*/, `round ${round}`);
    }
    assert.equal(await compile(['shop.dtos.ts'], '--noEmit'), '');
  });

  test('saves declarations that compile', async () => {
    await tool('typescriptd-ref', till.ready.base_url, 'till.dtos.d.ts');
    write('declared.ts', "import type { StripePaymentRequest } from './till.dtos.js';\nexport const r: StripePaymentRequest = { ICustomer: 7, ShoppingInformation: [{ Quantity: 1, SetupFee: '1.00' }] };\n");
    assert.equal(await compile(['declared.ts'], '--noEmit'), '');
  });

  test('saves C# with the request, its answer and its address', async () => {
    await tool('csharp-ref', till.ready.base_url);
    const text = read('dtos.cs');
    assert.match(text, /^\/\* Options:\nDate: /);
    assert.match(text, /\[Route\("\/ChargeStripeCustomerCard", "POST"\)\]\s+public partial class StripePaymentRequest : RequestBase, IReturn<StripePaymentResponse>/);
  });
});
