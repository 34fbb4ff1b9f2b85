/** The one rule for what looks old, for figures, cells, curves, title and icon alike. Times are the server's Unix seconds. */

/**
 * A fact that the page shows. received: when its answer arrived. asOf: when it was last confirmed at its source.
 * stale: the server calls it old. term: seconds without a new answer after which it is old; Infinity for what follows the stream.
 * @typedef {object} Fact
 * @property {string} source
 * @property {number} asOf
 * @property {number} received
 * @property {boolean} stale
 * @property {number} term
 * @property {boolean} [exchange] it comes from the exchange
 * @property {boolean} [stream] it follows from the entries of the stream
 * @property {string} [note]
 */

/**
 * The situation of the page. connected: the server's word arrives. complete: every entry was read. blind: neither the bot
 * nor the exchange can report a trade. exchangeFailed: since when the exchange, or a reading of it, is not answered; null while it is.
 * @typedef {{ now: number, connected: boolean, complete: boolean, blind: boolean, exchangeFailed: number | null }} Situation
 */

export const ACCOUNT_TERM = 22; // seconds without an answer after which balance, positions and marks are old: their interval and two
export const MARK_TERM = 60; // seconds after which the price of an own trade is old

/**
 * Return true if a fact is not confirmed at this moment.
 * @param {Fact} fact
 * @param {Situation} situation
 */
export function isOld(fact, situation) {
  if (!situation.connected || fact.stale) return true;
  if (fact.stream) return !situation.complete || situation.blind;
  if (situation.now - fact.received > fact.term) return true;
  // What was confirmed since the failure began is itself the proof that this much of the exchange works again.
  return Boolean(fact.exchange) && situation.exchangeFailed !== null && fact.asOf <= situation.exchangeFailed;
}

/**
 * Return a fact made of an answer by REST.
 * @param {{ source: string, as_of: number, stale: boolean }} answer
 * @param {number} received
 * @param {number} term
 * @returns {Fact}
 */
export function factOf(answer, received, term) {
  return { source: answer.source, asOf: answer.as_of, received, stale: answer.stale === true, term, exchange: answer.source !== 'journal' && answer.source !== 'bot_live' };
}

/** @type {Map<string, string>} */
const SOURCES = new Map(Object.entries({
  bot_live: 'bot', kalshi_api: 'Kalshi', redis_cache: 'Kalshi, cached', memory_cache: 'Kalshi, cached', journal: 'journal', stream: 'stream', own: 'own trade',
}));

/** @param {string} source */
export function sourceName(source) {
  return SOURCES.get(source) ?? source;
}
