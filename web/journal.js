/** Reading the journal by REST, page after page: the past of a page that opens, and what a stream missed. */

import { get } from './rest.js';
import { format, parse } from './sequence.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {{ entries: Entry[], cursor: import('./types').Cursor, total: number }} Page */

const LIMIT = 1000; // entries a page; the server may give fewer

/**
 * One page of what comes after a place. Throws Problem.
 * @param {string | URL} base where the API lies, with its slash
 * @param {import('./types').Cursor} after
 * @param {number} [limit]
 * @returns {Promise<Page>} cursor: the head of the journal when it was read
 */
export async function readAfter(base, after, limit = LIMIT) {
  const url = new URL('portfolio/trades/history', base);
  url.searchParams.set('after', String(format(after)));
  url.searchParams.set('limit', String(limit));
  const body = await get(url);
  const entries = /** @type {Entry[]} */ (body.entries ?? body.trades ?? []);
  const head = parse(body.cursor) ?? after;
  return { entries, cursor: head, total: head.seq };
}

/**
 * Everything from the beginning, up to the head. Throws Problem.
 * @param {string | URL} base
 * @param {import('./types').Cursor} from its epoch and where to begin; seq 0 is the beginning
 * @returns {AsyncGenerator<Page & { at: import('./types').Cursor }>} at: the place after each page
 */
export async function* readAll(base, from) {
  let at = { ...from };
  for (;;) {
    const page = await readAfter(base, at);
    if (page.cursor.epoch !== at.epoch) throw new Error('The journal was exchanged while it was read.');
    for (const entry of page.entries) at = { epoch: at.epoch, seq: Math.max(at.seq, entry.seq) };
    yield { ...page, at };
    if (page.entries.length === 0 || at.seq >= page.cursor.seq) return;
  }
}
