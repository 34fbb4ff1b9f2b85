/** The columns of a table of entries: trades, settlements, corrections, transfers, gaps and baselines. */

import { clock } from './clock.js';
import { compactMoney, compactQuantity, exactMoney, fullTime, lag, money, price, profit, quantity, shortTime, tone } from './format.js';
import { sourceName } from './staleness.js';

/** @typedef {import('./trade_store.js').StoredEntry} StoredEntry */
/** @typedef {import('./table.js').Column<StoredEntry>} Column */

/**
 * Return the dollars that an entry moved; null where it moved none.
 * @param {StoredEntry} row
 */
export function amountOf(row) {
  const entry = /** @type {any} */ (row.entry);
  if (row.kind === 'trade') return Math.round(row.quantity * row.price * 1e8) / 1e8;
  if (row.kind === 'settlement') return entry.revenue;
  return row.kind === 'transfer' ? (entry.direction === 'withdrawal' ? -entry.amount : entry.amount) : null;
}

/** @param {StoredEntry} row */
function priceOf(row) {
  return row.kind === 'settlement' ? /** @type {any} */ (row.entry).value : hasContracts(row) ? row.price : null;
}

/** @param {StoredEntry} row */
function actionOf(row) {
  const entry = /** @type {any} */ (row.entry);
  if (row.kind === 'trade') return `${row.quantity === 0 ? 'VOID' : row.side} ${row.outcome.toUpperCase()}${row.corrected ? ' *' : ''}`;
  if (row.kind === 'settlement') return `PAID ${String(entry.result).toUpperCase()}`;
  if (row.kind === 'transfer') return String(entry.direction ?? 'transfer').toUpperCase();
  return row.kind.toUpperCase();
}

/** @param {StoredEntry} row @returns {string} */
function textOf(row) {
  const entry = /** @type {any} */ (row.entry);
  const now = clock.now();
  if (row.kind === 'gap') return `Trades between ${shortTime(entry.from, now)} and ${shortTime(entry.to, now)} may be missing: ${entry.why}`;
  if (row.kind === 'baseline') return `Start of the journal; ${entry.positions.length} ${entry.positions.length === 1 ? 'position was' : 'positions were'} held already`;
  if (row.kind === 'transfer') return `${entry.direction ?? 'transfer'} ${entry.status ?? ''}`;
  return row.kind;
}

/**
 * Return the strategy of a trade and the time between decision, sending, acknowledgement and execution, as far as they are known.
 * @param {StoredEntry} row
 */
function stagesOf({ timestamp, strategy, decided, sent, acknowledged }) {
  const stages = [
    ['sent', sent - decided, 'after the decision'], ['acknowledged', acknowledged - sent, 'later'],
    ['executed', timestamp - acknowledged, 'after the acknowledgement'],
  ].filter(([, seconds]) => Number(seconds) >= 0).map(([what, seconds, when]) => `${what} ${lag(Number(seconds))} ${when}`);
  return [strategy && `Strategy ${strategy}`, stages.join(', ')].filter(Boolean).join(': ');
}

/** A correction names the content that its trade has now. @param {StoredEntry} row */
function hasContracts({ kind }) {
  return kind === 'trade' || kind === 'correction';
}

/**
 * Return the tone of a trade's profit: quiet where it closed nothing and cost its fee.
 * @param {StoredEntry} row
 * @param {number | null} value
 */
function profitTone({ kind, fee }, value) {
  return kind === 'trade' && value !== null && Math.abs(value + (fee ?? 0)) < 1e-9 ? 'quiet' : tone(value);
}

/** @param {StoredEntry} row */
function hasMarket(row) {
  return row.ticker !== '';
}

/**
 * @param {(row: StoredEntry) => number | null} gain profit of an entry in dollars
 * @returns {Column[]}
 */
export function tradeColumns(gain) {
  const dollars = (/** @type {number | null} */ value, /** @type {boolean} */ compact) => (compact ? compactMoney(value) : money(value));
  return [
    { name: 'time', title: 'Time', chars: 8, text: (row) => shortTime(row.timestamp, clock.now()), full: (row) => fullTime(row.timestamp), sort: (row) => row.timestamp },
    { name: 'market', title: 'Market', text: textOf, market: (row) => (hasMarket(row) ? row.ticker : ''), sort: (row) => row.ticker },
    { name: 'side', title: 'Side', chars: 8, text: actionOf, sort: actionOf,
      full: (row) => (row.corrected ? 'Content was corrected after the first report' : row.kind === 'trade' ? stagesOf(row) : row.kind === 'correction' ? `The trade #${/** @type {any} */ (row.entry).corrects} is ${row.quantity ? 'this' : 'void'} now` : ''),
      tone: (row) => `side ${row.kind === 'trade' ? row.side.toLowerCase() : row.kind}` },
    { name: 'quantity', title: 'Contracts', short: 'Qty', numeric: true, point: true, text: (row, compact) => (!hasContracts(row) ? '' : compact ? compactQuantity(row.quantity) : quantity(row.quantity)), full: (row) => (hasContracts(row) ? String(row.quantity) : ''), sort: (row) => row.quantity },
    { name: 'price', title: 'Price', numeric: true, point: true, text: (row) => (priceOf(row) === null ? '' : price(priceOf(row))), sort: priceOf },
    { name: 'amount', title: 'Amount', numeric: true, priority: 2, text: (row, compact) => (amountOf(row) === null ? '' : dollars(amountOf(row), compact)), full: (row) => (amountOf(row) === null ? '' : exactMoney(amountOf(row))), sort: amountOf },
    { name: 'profit', title: 'P&L', numeric: true, priority: 1, sort: gain, tone: (row) => profitTone(row, gain(row)),
      text: (row, compact) => { const value = gain(row); return value === null ? '' : profit(value, compact ? compactMoney : money); },
      full: (row) => (gain(row) === null ? '' : `${profit(gain(row), exactMoney)}: realized by this entry, less its fee`) },
    { name: 'fee', title: 'Fee', numeric: true, point: true, priority: 3, text: (row) => (row.kind === 'trade' || row.kind === 'settlement' ? price(row.fee) : ''), full: (row) => (row.kind === 'settlement' ? 'The total of this market\u2019s fees; those of its trades are included in it' : ''), sort: (row) => row.fee },
    { name: 'source', title: 'Source', priority: 5, text: (row) => (row.origin === 'account' ? 'account' : sourceName(row.source)), full: (row) => (row.origin === 'account' ? `made outside the bot, reported by ${sourceName(row.source)}` : ''), sort: (row) => row.source },
    { name: 'seq', title: '#', numeric: true, priority: 4, text: (row) => String(row.seq), sort: (row) => row.seq, tone: () => 'minor' },
  ];
}
