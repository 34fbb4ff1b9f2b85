/** Figures of closed trades, days and markets, computed from the entries. A closed trade is a tax lot that was closed. */

/** @typedef {import('./market_book.js').ClosedLot} ClosedLot */
/** @typedef {{ closed: number, wins: number, losses: number, grossProfit: number, grossLoss: number, fees: number, winRate: number | null, profitFactor: number | null, averageWin: number | null, averageLoss: number | null, heldSeconds: number | null }} Statistics dollars; winRate from 0 to 1 */
/** @typedef {{ start: number, profit: number, moves: number }} Day start: Unix seconds of local midnight */

const UNIT = 1e8; // amounts of lots are 10^-8 dollars

/**
 * Return the figures of closed trades; null where there is nothing to divide by.
 * @param {ClosedLot[]} lots
 * @returns {Statistics}
 */
export function statistics(lots) {
  let [wins, losses, gained, lost, fees, held, timed] = [0, 0, 0, 0, 0, 0, 0];
  for (const lot of lots) {
    const profit = Number(lot.profit) / UNIT;
    fees += Number(lot.fees) / UNIT;
    if (profit > 0) { wins += 1; gained += profit; }
    if (profit < 0) { losses += 1; lost -= profit; }
    if (lot.opened !== null) { held += lot.closed - lot.opened; timed += 1; }
  }
  const share = (/** @type {number} */ part, /** @type {number} */ all) => (all ? part / all : null);
  return {
    closed: lots.length, wins, losses, grossProfit: gained, grossLoss: lost, fees, winRate: share(wins, lots.length),
    profitFactor: share(gained, lost), averageWin: share(gained, wins), averageLoss: share(lost, losses), heldSeconds: share(held, timed),
  };
}

/**
 * Return the profit of each local day on which something moved, oldest first.
 * @param {import('./profit_curve.js').Line} line
 * @returns {Day[]}
 */
export function days({ times, totals }) {
  /** @type {Day[]} */
  const found = [];
  let before = totals[0] ?? 0;
  let next = -Infinity;
  for (let at = 1; at < times.length; at += 1) {
    if (times[at] >= next) {
      const start = new Date(times[at] * 1000);
      start.setHours(0, 0, 0, 0);
      const end = new Date(start);
      end.setDate(end.getDate() + 1);
      next = end.getTime() / 1000;
      found.push({ start: start.getTime() / 1000, profit: 0, moves: 0 });
    }
    const today = found[found.length - 1];
    today.profit += totals[at] - before;
    today.moves += 1;
    before = totals[at];
  }
  return found;
}

/**
 * Return days as weeks from Monday to Sunday, newest week first; null for days outside of the range.
 * @param {Day[]} list oldest first
 * @returns {(Day | null)[][]}
 */
export function weeks(list) {
  if (list.length === 0) return [];
  const byDate = new Map(list.map((day) => [new Date(day.start * 1000).toDateString(), day]));
  const monday = new Date(list[0].start * 1000);
  monday.setDate(monday.getDate() - ((monday.getDay() + 6) % 7));
  const [first, last] = [list[0].start, list[list.length - 1].start];
  const found = [];
  for (const at = monday; at.getTime() / 1000 <= last;) {
    const week = [];
    for (let each = 0; each < 7; each += 1) {
      const start = at.getTime() / 1000;
      week.push(start < first || start > last ? null : byDate.get(at.toDateString()) ?? { start, profit: 0, moves: 0 });
      at.setDate(at.getDate() + 1);
    }
    found.unshift(week);
  }
  return found;
}
