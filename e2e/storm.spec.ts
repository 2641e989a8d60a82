// Everything that can go wrong on the way to Stripe and back goes wrong half of the time, at once.
import { cards } from './lib/pages';
import { newCustomer, Portal, sendUntilTaken } from './lib/portal';
import { arrive, payAtStripe, pressPay } from './lib/shopper';
import { expect, expectSquareBooks, test } from './lib/test';
import { pause, Till } from './lib/till';

const orders = 50;
const atOnce = 10;
const patience = 180_000;

interface Bought {
  order: string;
  iCustomer: number;
  due: string;
}

test('fifty orders with all dials at 0.5 are each paid once, and the books are square', async ({}, info) => {
  test.setTimeout(patience + 120_000);
  // A till of its own: what is still under way at the end must not reach other tests.
  const till = await Till.start(`till-storm-${info.workerIndex}`);
  const portal = await Portal.open();
  try {
    await till.sandbox.turn({ duplicate: 0.5, drop: 0.5, reorder: 0.5, delay_ms: 500, api_error_rate: 0.5, api_delay_ms: 50 });
    const bought: Bought[] = [];
    const failed: string[] = [];
    let next = 0;
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let n = next++; n < orders; n = next++) {
          try {
            bought.push(await buy(till, portal, n));
          } catch (fault) {
            failed.push(`order ${n}: ${fault instanceof Error ? fault.message : fault}`);
          }
        }
      }),
    );
    expect(failed, 'customers who could not get through').toEqual([]);

    // Still in the storm. Who did not come back is settled by a webhook, or, when all of them are lost, by the sweep.
    await expect
      .poll(
        async () => (await unsettled(till, bought)).length,
        { timeout: patience, intervals: [1000], message: 'orders not credited in full' },
      )
      .toBe(0);

    const intents = await till.sandbox.objects('payment_intent');
    for (const { order } of bought) {
      const paid = intents.filter((i) => i.status === 'succeeded' && Object.values(i.metadata ?? {}).includes(order));
      expect(paid, `payments of ${order} at Stripe`).toHaveLength(1);
    }
    expect(intents.filter((i) => i.status === 'succeeded')).toHaveLength(orders);
    await expectSquareBooks(till);
    const [demo] = (await till.books()).tenants;
    expect(Number(demo.accounts.suspense ?? 0), 'money without an owner').toBe(0);
  } finally {
    await portal.close();
    await till.stop();
  }
});

// buy is one customer: asks, pays, and mostly comes back. The amount tells the order apart.
async function buy(till: Till, portal: Portal, n: number): Promise<Bought> {
  const { iCustomer, basket } = newCustomer();
  const request = portal.request(till, basket, iCustomer, [{ Title: `Order ${n}`, Quantity: 1, SetupFee: 10 + n, Currency: 'GBP' }]);
  // Every third portal is impatient and asks twice at once.
  const asked = await Promise.all(Array.from({ length: n % 3 === 0 ? 2 : 1 }, () => sendUntilTaken(till, request, `storm-${basket}`)));
  const order = asked[0].OrderId;
  for (const a of asked) expect(a.OrderId).toBe(order);

  const stripe = await pressPay(asked[0].Url);
  const back = await payAtStripe(stripe, cards.visa);
  // Every fifth customer closes the browser now. The others wait for the page to say that it is paid, as they would.
  if (n % 5 !== 4) {
    const deadline = Date.now() + patience;
    while ((await arrive(back)) !== 'paid') {
      if (Date.now() > deadline) throw new Error(`the return page of ${order} never said paid`);
      await pause(500);
    }
  }
  return { order, iCustomer, due: `${10 + n}.00` };
}

async function unsettled(till: Till, bought: Bought[]): Promise<Bought[]> {
  const credits = new Map((await till.books()).tenants.flatMap((t) => t.customers).map((c) => [c.i_customer, c.credit]));
  return bought.filter((b) => credits.get(b.iCustomer) !== b.due);
}
