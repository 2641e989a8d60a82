// The sandbox as a test sees it: its dials, its actions, and the objects it holds (product.md section 8).

export interface Dials {
  duplicate: number;
  drop: number;
  reorder: number;
  delay_ms: number;
  api_error_rate: number;
  api_delay_ms: number;
  debit_settle_s: number;
}

// A Stripe object, as far as tests look into one.
export interface StripeObject {
  id: string;
  object: string;
  status?: string;
  metadata?: Record<string, string>;
  [field: string]: unknown;
}

// One event on its way to one endpoint.
export interface Delivery {
  event: string;
  state: 'pending' | 'delivered' | 'failed' | 'dropped';
  attempts: number;
}

export class Sandbox {
  private constructor(
    readonly url: string,
    private readonly usual: Dials,
  ) {}

  static async at(url: string): Promise<Sandbox> {
    const answer = await fetch(`${url}/_sandbox/dials`);
    return new Sandbox(url, (await answer.json()) as Dials);
  }

  async turn(dials: Partial<Dials>): Promise<void> {
    const answer = await fetch(`${this.url}/_sandbox/dials`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(dials),
    });
    if (!answer.ok) throw new Error(`the dials were refused: ${answer.status} ${await answer.text()}`);
  }

  // reset puts the dials back to where the sandbox started with them.
  reset(): Promise<void> {
    return this.turn(this.usual);
  }

  // act does something on Stripe's side: refund, resend, expire and so on.
  async act(action: string, id: string, more: Record<string, unknown> = {}): Promise<void> {
    const answer = await fetch(`${this.url}/_sandbox/actions/${action}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ id, ...more }),
    });
    if (!answer.ok) throw new Error(`${action} ${id} was refused: ${answer.status} ${await answer.text()}`);
  }

  // objects lists the objects of a type, such as "payment_intent", whatever the state groups them under.
  async objects(type: string): Promise<StripeObject[]> {
    const answer = await fetch(`${this.url}/_sandbox/state`);
    if (!answer.ok) throw new Error(`the sandbox's state: ${answer.status}`);
    const found: StripeObject[] = [];
    collect(await answer.json(), type, found);
    return found;
  }

  // deliveries lists what became of the webhooks.
  async deliveries(): Promise<Delivery[]> {
    const answer = await fetch(`${this.url}/_sandbox/state`);
    return ((await answer.json()) as { deliveries: Delivery[] }).deliveries;
  }

  // ofOrder lists the objects of a type that carry the order's id in their metadata.
  async ofOrder(type: string, order: string): Promise<StripeObject[]> {
    const all = await this.objects(type);
    return all.filter((o) => o.client_reference_id === order || Object.values(o.metadata ?? {}).includes(order));
  }

  // payments lists the intents of an order that took money.
  async payments(order: string): Promise<StripeObject[]> {
    return (await this.ofOrder('payment_intent', order)).filter((i) => i.status === 'succeeded');
  }
}

// Objects at the top of a group only: an expanded copy inside another object is the same object again.
function collect(value: unknown, type: string, into: StripeObject[]): void {
  if (Array.isArray(value)) {
    for (const v of value) collect(v, type, into);
  } else if (value !== null && typeof value === 'object') {
    const o = value as StripeObject;
    if (typeof o.object === 'string' && typeof o.id === 'string') {
      if (o.object === type) into.push(o);
      return;
    }
    for (const v of Object.values(value)) collect(v, type, into);
  }
}
