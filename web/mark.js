/** The mark rule of the service, for quotes that the page reads itself. */

/** @typedef {{ yes_bid: number | null, yes_ask: number | null, last_price: number | null, result?: string | null, settlement_value?: number | null }} Quotes */

const WIDE = 0.1; // dollars between bid and ask above which the middle says little

/**
 * Return the price of one YES contract in dollars, null when unknown. The first case that fits:
 * the payout of a known result; unknown without quotes or with crossed ones; the middle of close quotes; the last trade,
 * limited to the quotes; the bid.
 * @param {Quotes} market
 */
export function markOf(market) {
  if (market.settlement_value !== null && market.settlement_value !== undefined) return market.settlement_value;
  if (market.result === 'yes' || market.result === 'no') return market.result === 'yes' ? 1 : 0;
  const { yes_bid: bid, yes_ask: ask, last_price: last } = market;
  if ((bid === null && ask === null) || (bid !== null && ask !== null && bid > ask)) return null;
  if (bid !== null && ask !== null && ask - bid <= WIDE + 1e-9) return exact((bid + ask) / 2);
  if (last === null) return bid;
  return Math.min(Math.max(last, bid ?? last), ask ?? Infinity);
}

/**
 * Return the price of the other outcome.
 * @param {number} price
 */
export function complement(price) {
  return exact(1 - price);
}

/** @param {number} price */
function exact(price) {
  return Number(price.toFixed(6));
}
