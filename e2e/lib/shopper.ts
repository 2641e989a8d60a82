// A customer without a browser: follows links and posts forms over HTTP, as a browser would, and keeps trying when a
// page answers with an error. Fifty of them at once are cheaper than fifty tabs.
import { pause } from './till';

interface Tag {
  name: string;
  attributes: Record<string, string>;
}

const entities: Record<string, string> = { '&amp;': '&', '&quot;': '"', '&#34;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>', '&#43;': '+' };

function tags(html: string, names: string): Tag[] {
  return [...html.matchAll(new RegExp(`<(${names})\\b([^>]*)>`, 'g'))].map(([, name, rest]) => ({
    name,
    attributes: Object.fromEntries(
      [...rest.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, key, value = '']) => [key, value.replace(/&(\w+|#\d+);/g, (e) => entities[e] ?? e)]),
    ),
  }));
}

// The form with the card fields, filled in: hidden values as they came, chosen radios, first option of a list.
export function filledForm(html: string, number: string): { action: string; fields: URLSearchParams } {
  const form = [...html.matchAll(/<form\b[\s\S]*?<\/form>/g)].map((m) => m[0]).find((f) => f.includes('data-testid="card-number"'));
  if (!form) throw new Error('the page has no form for a card');
  const fields = new URLSearchParams();
  const byTestID: Record<string, string> = { 'card-number': number, 'card-expiry': '12 / 34', 'card-cvc': '123' };
  const byAutocomplete: Record<string, string> = {
    email: 'ada@example.com',
    'cc-name': 'Ada Byron',
    'address-line1': '12 St James Square',
    'address-level2': 'London',
    'postal-code': 'SW1Y 4JH',
    country: 'GB',
  };
  for (const { name, attributes: a } of tags(form, 'input|select')) {
    if (!a.name || 'disabled' in a) continue;
    if ((a.type === 'radio' || a.type === 'checkbox') && !('checked' in a)) continue;
    const typed = byTestID[a['data-testid']] ?? ('readonly' in a ? undefined : byAutocomplete[a.autocomplete]);
    fields.append(a.name, typed ?? (name === 'select' ? 'GB' : (a.value ?? '')));
  }
  return { action: tags(form, 'form')[0].attributes.action, fields };
}

const tries = 60;

// insist repeats a request until it is answered with one of the statuses. Network faults and 5xx are what the dials make.
async function insist(what: string, wanted: number[], request: () => Promise<Response>): Promise<Response> {
  let last = '';
  for (let n = 0; n < tries; n++) {
    try {
      const answer = await request();
      if (wanted.includes(answer.status)) return answer;
      last = `${answer.status} ${(await answer.text()).slice(0, 300)}`;
      if (answer.status < 500 && answer.status !== 429) break;
    } catch (fault) {
      last = String(fault);
    }
    await pause(100);
  }
  throw new Error(`${what}: ${last}`);
}

// pressPay presses the order page's button until it leads somewhere.
export async function pressPay(url: string): Promise<string> {
  const answer = await insist(`pay button of ${url}`, [303], () => fetch(url, { method: 'POST', redirect: 'manual' }));
  return answer.headers.get('location')!;
}

// payAtStripe fills the hosted page and returns where Stripe sends the customer.
export async function payAtStripe(url: string, number: string): Promise<string> {
  const page = await insist(`Stripe's page ${url}`, [200], () => fetch(url));
  const { action, fields } = filledForm(await page.text(), number);
  const answer = await insist(`Stripe's form ${url}`, [303], () => fetch(new URL(action, url), { method: 'POST', body: fields, redirect: 'manual' }));
  return answer.headers.get('location')!;
}

// arrive looks at the return page and gives the state that it shows.
export async function arrive(url: string): Promise<string> {
  const answer = await insist(`return page ${url}`, [200], () => fetch(url));
  const html = await answer.text();
  return tags(html, 'div|section|main|p').find((t) => t.attributes['data-testid'] === 'status')?.attributes['data-status'] ?? '';
}
