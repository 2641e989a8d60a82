// A reseller's portal, as small as one can be: it asks for payments as the seed's caller does, and has the two pages
// that customers come back to.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { pause, type Till } from './till';

export interface Item {
  Title?: string;
  Quantity?: number;
  MonthlyFee?: number;
  SetupFee?: number;
  DisplayIndex?: number;
  Key?: string;
  AdditionalInformation?: string[];
  VatApplicable?: boolean;
  Currency?: string;
  TransactionCharge?: number;
  VoucherCredit?: number;
  AdvancePeriod?: number;
  ItemSubTotal?: number;
}

export interface PaymentResponse {
  Success: boolean;
  Status: string;
  OrderId: string;
  Url: string;
  Amount: number | string;
  Currency: string;
  Replayed: boolean;
  CardInfo?: string;
  Cards?: SavedCard[];
  ResponseStatus?: { ErrorCode: string; Message: string; Meta?: Record<string, string> };
}

export interface SavedCard {
  StripeSourceId: string;
  Brand: string;
  Last4: string;
  CardInfo: string;
}

export interface Visit {
  path: string;
  query: string; // exactly as in the address
}

// One month of a line: 12.00 and 20 % VAT make 14.40.
export const broadband: Item = {
  Title: 'Fibre broadband 150',
  Quantity: 1,
  MonthlyFee: 12,
  AdvancePeriod: 1,
  VatApplicable: true,
  Currency: 'GBP',
  Key: 'fibre-150',
  AdditionalInformation: ['Up to 150 Mbit/s, no minimum term'],
};

let lastCustomer = 700_000;

export class Portal {
  private constructor(
    private readonly server: Server,
    readonly origin: string,
    private readonly visits: Visit[],
  ) {}

  static async open(): Promise<Portal> {
    const visits: Visit[] = [];
    const server = createServer((request, response) => {
      const [path, query = ''] = request.url!.split('?', 2);
      visits.push({ path, query });
      const title = path === '/success' ? 'Thank you' : 'Basket';
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>${title}</title><h1>${title}</h1></html>`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Portal(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits);
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  // successUrl has a query of its own, which must survive; basket tells the visits of tests apart.
  successUrl(basket: string): string {
    return `${this.origin}/success?basket=${basket}&note=a%20b`;
  }

  cancelUrl(basket: string): string {
    return `${this.origin}/cancelled?basket=${basket}`;
  }

  visitsOf(basket: string): Visit[] {
    return this.visits.filter((v) => v.query.split('&').includes(`basket=${basket}`));
  }

  request(till: Till, basket: string, iCustomer: number, items: Item[]): Record<string, unknown> {
    return {
      License: till.ready.license,
      ICustomer: iCustomer,
      Customer: {
        ICustomer: iCustomer,
        PersonalInformation: { FirstName: 'Ada', LastName: 'Byron', Company: 'Analytical Engines Ltd' },
        CustomerContact: { Email: `ada.${iCustomer}@example.com`, Phone1: '+44 20 7946 0123' },
        CustomerAddress: { Address1: '12 St James Square', City: 'London', Postcode: 'SW1Y 4JH', Country: 'GB' },
      },
      ShoppingInformation: items,
      SuccessUrl: this.successUrl(basket),
      CancelUrl: this.cancelUrl(basket),
      ContentId: 4711,
      FeatureName: 'Top up',
    };
  }
}

// An order as a test asked for it: with a customer and a basket that no other test has.
export interface Order {
  basket: string;
  iCustomer: number;
  id: string;
  url: string;
  response: PaymentResponse;
  request: Record<string, unknown>;
}

export interface Customer {
  iCustomer: number;
  basket: string;
}

export function newCustomer(): Customer {
  const iCustomer = ++lastCustomer;
  return { iCustomer, basket: `basket-${iCustomer}` };
}

let lastBasket = 0;

// again is the same customer with another basket.
export const again = (who: Customer): Customer => ({ iCustomer: who.iCustomer, basket: `basket-${who.iCustomer}-${++lastBasket}` });

// send posts a request as JSON and returns status and answer.
export async function send(till: Till, request: unknown, key?: string): Promise<{ status: number; answer: PaymentResponse }> {
  const answer = await fetch(`${till.ready.base_url}/json/reply/StripePaymentRequest`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(key ? { 'Idempotency-Key': key } : {}) },
    body: JSON.stringify(request),
  });
  return { status: answer.status, answer: (await answer.json()) as PaymentResponse };
}

// sendUntilTaken does what product.md section 2 allows a caller: 502, 503 and 429 may be sent again, with the same key.
export async function sendUntilTaken(till: Till, request: unknown, key: string, tries = 60): Promise<PaymentResponse> {
  for (let n = 1; ; n++) {
    const { status, answer } = await send(till, request, key);
    if (status === 200) return answer;
    if (![429, 502, 503].includes(status) || n === tries) {
      throw new Error(`try ${n}: ${status} ${JSON.stringify(answer)}`);
    }
    await pause(50);
  }
}

export async function newOrder(till: Till, portal: Portal, items: Item[] = [broadband], more: Record<string, unknown> = {}, who = newCustomer()): Promise<Order> {
  const { iCustomer, basket } = who;
  const request = { ...portal.request(till, basket, iCustomer, items), ...more };
  const answer = await ask(till, request);
  if (!answer.Url) throw new Error(`the request has no page: ${JSON.stringify(answer)}`);
  return { basket, iCustomer, id: answer.OrderId, url: answer.Url, response: answer, request };
}

// ask sends a request that must be carried out.
export async function ask(till: Till, request: unknown, key?: string): Promise<PaymentResponse> {
  const { status, answer } = await send(till, request, key);
  if (status !== 200 || !answer.Success) throw new Error(`the request was not taken: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

// about is a request about a customer's cards: it has neither a cart nor addresses.
export function about(till: Till, portal: Portal, who: Customer, more: Record<string, unknown>): Record<string, unknown> {
  const { ShoppingInformation, SuccessUrl, CancelUrl, ...rest } = portal.request(till, who.basket, who.iCustomer, []);
  return { ...rest, ...more };
}

// saveCard saves one of Stripe's test tokens for a customer, as a portal with Stripe.js does, and returns the card's id.
export async function saveCard(till: Till, portal: Portal, who: Customer, token: string, label = ''): Promise<string> {
  const before = await cardsOf(till, portal, who);
  const saved = await ask(till, about(till, portal, who, { apiSingleUseToken: token, CardInfo: label }));
  if (saved.Status !== 'saved') throw new Error(`the card was not saved: ${JSON.stringify(saved)}`);
  return saved.Cards!.find((c) => !before.some((b) => b.StripeSourceId === c.StripeSourceId))!.StripeSourceId;
}

export async function cardsOf(till: Till, portal: Portal, who: Customer): Promise<SavedCard[]> {
  return (await ask(till, about(till, portal, who, { GetCustomerCardInformation: true }))).Cards ?? [];
}

// accountOf asks for the address of the customer's own page, which leads back to the portal.
export async function accountOf(till: Till, portal: Portal, who: Customer): Promise<string> {
  const { Status, Url } = await ask(till, about(till, portal, who, { GetCustomerCardInformation: true, SuccessUrl: portal.successUrl(who.basket) }));
  if (Status !== 'listed' || !Url) throw new Error(`there is no page: ${Status} ${Url}`);
  return Url;
}

// signatureHolds is the check that product.md section 4 documents for portals: HMAC-SHA256 with the signing secret over
// exactly order=…&status=…&amount=…&currency=…&ts=…, percent-encoded as in the address; base64url without padding.
export function signatureHolds(query: string, secret: string): boolean {
  const pairs = query.split('&');
  const signed = ['order', 'status', 'amount', 'currency', 'ts'].map((name) => {
    const pair = pairs.filter((p) => p.startsWith(`${name}=`));
    if (pair.length !== 1) throw new Error(`${name} is ${pair.length} times in ${query}`);
    return pair[0];
  });
  const given = pairs.find((p) => p.startsWith('sig='))?.slice('sig='.length) ?? '';
  const expected = createHmac('sha256', secret).update(signed.join('&')).digest('base64url');
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}
