/** Reading the journal by REST, page after page: the past of a page that opens, and what a stream missed. */

import { get } from './rest.js';
import { format, parse } from './sequence.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Cursor} Cursor */
/** @typedef {{ entries: Entry[], cursor: Cursor, total: number }} Page cursor: the head of the journal when it was read */

const LIMIT = 1000; // entries a page; the server may return fewer

/**
 * Read one page of what follows a place. Throws Problem.
 * @param {string | URL} base where the API lies, with its slash
 * @param {Cursor} after
 * @param {number} [limit]
 * @returns {Promise<Page>}
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
 * Read everything after a place, up to the head. Throws Problem.
 * @param {string | URL} base
 * @param {Cursor} from its epoch and where to begin; seq 0 is the beginning
 * @returns {AsyncGenerator<Page & { at: Cursor }>} at: the place after each page
 */
export async function* readAll(base, from) {
  let at = { ...from };
  for (let next = readAfter(base, at); ;) {
    const page = await next;
    if (page.cursor.epoch !== at.epoch) throw new Error('The journal was replaced while it was read.');
    for (const entry of page.entries) at = { epoch: at.epoch, seq: Math.max(at.seq, entry.seq) };
    if (at.seq === page.cursor.seq) at = page.cursor;
    const done = page.entries.length === 0 || at.seq >= page.cursor.seq;
    if (!done) {
      next = readAfter(base, at); // the server reads while this page is used
      next.catch(() => {}); // awaited by the next turn, unless the reader has stopped
    }
    yield { ...page, at };
    if (done) return;
  }
}
