// Writes how the customer pages' languages write money, percentages and dates, from the CLDR data inside Node.js, and
// beside it what Intl itself makes of some amounts and days, for a test to compare with. Run by hand when a language
// or a currency is added: `node build/cldr.mjs`. It is no part of `make generate`, because every version of Node.js
// has another CLDR and a generated file must not depend on whose machine it was.
import { readFileSync, writeFileSync } from 'node:fs';

// What Intl is asked for each of our languages. English dates are British and its symbols those of international English;
// Portuguese is European; Arabic has the digits of the Gulf's and the Maghreb's payment pages (CLDR: nu=latn).
const locales = { en: 'en', de: 'de', fr: 'fr', es: 'es', it: 'it', nl: 'nl', pt: 'pt-PT', pl: 'pl', ar: 'ar-u-nu-latn' };
const dates = { ...locales, en: 'en-GB' };

const source = readFileSync(new URL('../pay/money.go', import.meta.url), 'utf8');
const codes = [...source.matchAll(/set\(\d, `([^`]+)`\)/g)].flatMap((m) => m[1].trim().split(/\s+/)).sort();

const parts = (format, value) => format.formatToParts(value);
const piece = (list, type) => list.find((p) => p.type === type)?.value ?? '';
// pattern is a formatted text with the pieces that vary taken out.
const pattern = (list, names) => {
  let out = '';
  for (const p of list) {
    const name = names[p.type];
    if (name === undefined) out += p.value;
    else if (name !== '' && !out.includes(name)) out += name;
  }
  return out;
};
const money = { currency: '{s}', integer: '{n}', group: '', decimal: '', fraction: '' };
const moment = { day: '{d}', month: '{m}', year: '{y}', hour: '{H}', minute: '{M}' };

// Every currency is compared once, these at every length.
const thorough = 'GBP EUR USD CHF JPY KWD ISK AED PLN'.split(' ');

const table = {};
const samples = { money: [], percent: [], date: [], moment: [], integer: [] };
for (const [lang, locale] of Object.entries(locales)) {
  const currency = (code, extra = {}) => new Intl.NumberFormat(locale, { style: 'currency', currency: code, ...extra });
  const thousand = parts(new Intl.NumberFormat(locale), 1234);
  const large = parts(new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }), 12345.5);
  const long = new Intl.DateTimeFormat(dates[lang], { dateStyle: 'long', timeZone: 'UTC' });
  const longTime = new Intl.DateTimeFormat(dates[lang], { dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23', timeZone: 'UTC' });
  const january = Date.UTC(2026, 0, 15, 13, 5);
  const symbols = {};
  for (const code of codes) {
    // What follows the symbol at the end, a mark of direction, belongs to it.
    const all = parts(currency(code), 1);
    const at = all.findIndex((p) => p.type === 'currency');
    const symbol = all[at].value + (at > 0 && all[at + 1] ? all[at + 1].value : '');
    if (symbol !== code) symbols[code] = symbol;
  }
  table[lang] = {
    decimal: piece(large, 'decimal'),
    group: piece(large, 'group'),
    minGrouping: thousand.some((p) => p.type === 'group') ? 1 : 2,
    // A symbol that ends in a letter is set apart from the digits (CLDR, currencySpacing), hence two.
    money: pattern(parts(currency('EUR'), 1.5), money),
    moneyByCode: pattern(parts(currency('CHF', { currencyDisplay: 'code' }), 1.5), money),
    percent: lang === 'en' ? '{n}\u00a0%' : pattern(parts(new Intl.NumberFormat(locale, { style: 'percent' }), 0.2), { integer: '{n}' }),
    date: pattern(parts(long, january), moment),
    moment: pattern(parts(longTime, january), moment) + ' UTC',
    months: Array.from({ length: 12 }, (_, i) => piece(parts(long, Date.UTC(2026, i, 15)), 'month')),
    symbols,
  };
  for (const code of codes) {
    // ISK and UGX are counted in hundredths at Stripe, and have none in text.
    const decimals = 'ISK UGX'.includes(code) ? 0 : Number(source.match(new RegExp(`set\\((\\d), \`[^\`]*\\b${code}\\b`))[1]);
    for (const text of thorough.includes(code) ? ['0', '7', '1234', '12345', '999999'] : ['1234']) {
      const amount = decimals === 0 ? text : `${text}.${'987'.slice(0, decimals - 1)}0`;
      const exact = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      samples.money.push([lang, code, amount, currency(code, exact).format(amount)]);
    }
  }
  if (lang !== 'en') for (const points of [0, 500, 770, 1750, 1925, 2000]) {
    samples.percent.push([lang, points, new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 }).format(points / 10000)]);
  }
  for (const n of [0, 9, 1000, 12345, 1234567]) samples.integer.push([lang, n, new Intl.NumberFormat(locale).format(n)]);
  for (let month = 0; month < 12; month++) {
    for (const day of [1, 22]) {
      const at = Date.UTC(2026, month, day, 20, 5);
      samples.date.push([lang, at / 1000, long.format(at)]);
      samples.moment.push([lang, at / 1000, `${longTime.format(at)} UTC`]);
    }
  }
}
const write = (name, value) => writeFileSync(new URL(`../internal/i18n/${name}`, import.meta.url), value);
write('cldr.json', `${JSON.stringify(table, null, 1)}\n`);
const lines = (list) => list.map((s) => `  ${JSON.stringify(s)}`).join(',\n');
write('testdata/intl.json', `{\n${Object.entries(samples).map(([k, v]) => ` ${JSON.stringify(k)}: [\n${lines(v)}\n ]`).join(',\n')}\n}\n`);
