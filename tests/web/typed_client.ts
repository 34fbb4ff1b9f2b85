/** A page in TypeScript over the modules: compiled with the modules' own types, never run. */

import { EVENTS, connect } from '../../web/stream.js';
import { readAll } from '../../web/journal.js';
import { Book, Books } from '../../web/positions.js';

const stream = connect({ base: 'https://trader.example/api/python/', load: async (own) => own.freshness.cursor ?? 'a-0' });
const off: () => void = stream.on('trades', ({ trades, count }) => {
  const side: 'BUY' | 'SELL' = trades[0].side;
  const price: number = trades[0].price * count;
  show(side, price);
});
stream.on('entry', (entry) => {
  if ('corrects' in entry) { const seq: number = entry.corrects; show(seq); }
  if ('transfer_id' in entry) { const amount: number = entry.amount; show(amount, entry.direction === 'deposit'); }
  if ('why' in entry) { const from: number = entry.from; show(from); }
});
stream.on('status', ({ activity, mode }) => { const words: [string | null, 'live' | 'demo' | 'paper' | null] = [activity, mode]; show(words); });
stream.on('error', ({ reason, message, retry }) => { const seconds: number = retry; show(reason === 'missing', message, seconds); });

// @ts-expect-error there is no event of that name
stream.on('trade', () => {});
// @ts-expect-error a trade has no such field
stream.on('trades', ({ trades }) => show(trades[0].pricee));
// @ts-expect-error a load returns the cursor
connect({ load: async () => 5 });
// @ts-expect-error there is no such option
connect({ url: 'https://trader.example/' });

async function positions(base: URL) {
  const books = new Books();
  for await (const page of readAll(base, { epoch: 'a', seq: 0 })) for (const entry of page.entries) books.add(entry);
  const rows = books.of('live').positions((ticker: string) => (ticker ? 0.5 : null));
  const value: string | null = Book.totals(rows).value;
  show(value, rows[0].quantity);
}

function show(...values: unknown[]) {
  document.body.append(...values.map(String));
}

off();
stream.close();
void positions(new URL(location.href));
void EVENTS;
