/** The columns of the table of positions. */

import { compactMoney, compactQuantity, exactMoney, money, price, profit, quantity, tone } from './format.js';
import { isOld, sourceName } from './staleness.js';

/** @typedef {import('./model.js').Row} Row */
/** @typedef {import('./table.js').Column<Row>} Column */

/**
 * @param {() => import('./staleness.js').Situation} situation
 * @param {(row: Row) => string} difference what the exchange or the bot reports instead; empty where they agree
 * @returns {Column[]}
 */
export function positionColumns(situation, difference) {
  const marked = (/** @type {Row} */ row) => (row.markFact && isOld(row.markFact, situation()) ? 'old' : '');
  const amount = (/** @type {string} */ name, /** @type {string} */ title, /** @type {(row: Row) => string | number | null} */ value, /** @type {number} */ priority, /** @type {boolean} */ signed, /** @type {boolean} */ byMark) => ({
    name, title, numeric: true, priority,
    text: (/** @type {Row} */ row, /** @type {boolean} */ compact) => {
      const format = compact ? compactMoney : money;
      return signed ? profit(value(row), format) : format(value(row));
    },
    full: (/** @type {Row} */ row) => (value(row) === null ? '' : signed ? profit(value(row), exactMoney) : exactMoney(value(row))),
    tone: (/** @type {Row} */ row) => `${signed ? tone(value(row)) : ''} ${byMark ? marked(row) : ''}`.trim(),
    sort: (/** @type {Row} */ row) => (value(row) === null ? null : Number(value(row))),
  });
  return [
    { name: 'market', title: 'Market', text: (row) => row.ticker, market: (row) => row.ticker, sort: (row) => row.ticker },
    { name: 'held', title: 'Held', numeric: true, chars: 9, sort: (row) => Number(row.quantity), full: (row) => (row.outcome ? `${row.quantity.replace('-', '')} contracts of ${row.outcome.toUpperCase()}` : 'closed'),
      text: (row, compact) => (row.outcome ? `${(compact ? compactQuantity : quantity)(row.quantity.replace('-', ''))} ${row.outcome === 'yes' ? 'YES' : 'NO '}` : 'closed'),
      tone: (row) => (row.outcome ? row.outcome : 'minor') },
    { name: 'average', title: 'Average', numeric: true, point: true, priority: 2, text: (row) => price(row.average_price), sort: (row) => (row.average_price === null ? null : Number(row.average_price)) },
    { name: 'mark', title: 'Mark', numeric: true, point: true, priority: 1, text: (row) => price(row.mark), sort: (row) => (row.mark === null ? null : Number(row.mark)), tone: marked, full: (row) => (row.markFact ? `${row.mark} by ${sourceName(row.markFact.source)}` : row.outcome ? 'No price is known' : '') },
    amount('value', 'Value', (row) => row.value, 3, false, true),
    amount('unrealized', 'Unrealized', (row) => row.unrealized_pnl, 2, true, true),
    amount('realized', 'Realized', (row) => row.realized_pnl, 4, true, false),
    amount('fees', 'Fees', (row) => row.fees, 5, false, false),
    amount('net', 'Net P&L', (row) => row.net, 0, true, true),
    { name: 'trades', title: 'Trades', numeric: true, priority: 6, text: (row) => String(row.trades), sort: (row) => row.trades },
    { name: 'difference', title: 'Check', priority: 3, text: difference, full: difference, tone: (row) => (difference(row) ? 'differs' : '') },
  ];
}
