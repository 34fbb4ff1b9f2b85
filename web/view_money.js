/** The view Money: where every cent went, as the service reconciles it, and the entries that moved cash apart from trades. */

import { clock } from './clock.js';
import { h, setText } from './dom.js';
import { ago, count, money, precise, profit, tone } from './format.js';
import { fillList } from './panels.js';
import { isOld } from './staleness.js';
import { Table } from './table.js';
import { panel } from './view_overview.js';

/** @typedef {import('./dashboard.js').Page} Page */

const CASH = /** @type {[string, string][]} */ ([
  ['opening', 'Opening balance'], ['trades', 'Trades'], ['fees', 'Fees'], ['settlements', 'Settlements'], ['deposits', 'Deposits'],
  ['withdrawals', 'Withdrawals'], ['transfer_fees', 'Fees of transfers'], ['other', 'Other causes'], ['expected', 'Expected balance'], ['reported', 'Reported balance'], ['unexplained', 'Unexplained'],
]);
/** What a cause means, where its name does not say it all. */
/** @type {Map<string, string>} */
const CAUSES = new Map(Object.entries({
  method: 'The exchange counts cost and profit by another method; their difference is the same.', mark: 'The two sides read their prices at different moments.',
  'outside the bot': 'Made by hand or by another program.', 'read late': 'One side was read before the last trade.',
}));
const SUMS = new Set(['opening', 'expected', 'reported']);
const STANDING = new Set([...SUMS, 'unexplained']); // no steps between the opening and the expected balance

/** @type {import('./table.js').Column<any>[]} */
const DIFFERENCE_COLUMNS = [
  { name: 'market', title: 'Market', text: (row) => (row.ticker ? row.ticker : 'the account'), market: (row) => row.ticker ?? '', sort: (row) => row.ticker ?? '' },
  { name: 'figure', title: 'Figure', text: (row) => String(row.figure).replaceAll('_', ' '), sort: (row) => row.figure },
  { name: 'journal', title: 'Journal', numeric: true, priority: 2, point: true, text: (row) => figureText(row.journal), sort: (row) => row.journal },
  { name: 'other', title: 'Other side', numeric: true, priority: 2, point: true, text: (row) => figureText(row.other), sort: (row) => row.other },
  { name: 'difference', title: 'Difference', numeric: true, point: true, text: (row) => figureText(row.difference), sort: (row) => Math.abs(row.difference) },
  { name: 'cause', title: 'Cause', text: (row) => String(row.cause ?? 'unknown'), sort: (row) => row.cause, full: (row) => CAUSES.get(row.cause) ?? '' },
  { name: 'lasting', title: 'Since', priority: 3, text: (row) => `${row.since ? ago(clock.now() - row.since) : ''}${row.lasting ? '' : ', may pass'}`, sort: (row) => row.since },
];

export class MoneyView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.age = h('span', { class: 'age' });
    const cash = panel('cash', 'Cash since the first confirmed balance', this.age);
    this.cash = h('dl', { class: 'facts ledger' });
    this.unreadable = h('p', { class: 'minor aside' });
    cash.body.append(this.cash, this.unreadable);
    const profits = panel('profit', 'Profit of the journal', h('span', { class: 'minor' }, 'computed on this page from every entry'));
    this.profit = h('dl', { class: 'facts ledger' });
    profits.body.append(this.profit);
    this.summary = h('span', { class: 'minor' });
    const positions = panel('differences', 'Differences between journal, exchange and bot', this.summary);
    positions.body.classList.add('table', 'half');
    this.table = new Table(positions.body, { caption: 'Differences', columns: DIFFERENCE_COLUMNS, name: (ticker) => page.model.names.name(ticker), empty: ['No differences', 'Journal, exchange and bot hold the same, as far as they were compared.'] });
    this.value = h('p', { class: 'minor aside' });
    positions.element.append(this.value);
    place.append(h('div', { class: 'split even' }, cash.element, profits.element), positions.element);
    this.sections = [cash.element, positions.element];
    this.profits = profits.element;
  }

  show() {}

  draw() {
    const { model, totals } = this.page;
    const { reconciliation, reconciliationFact: fact } = model;
    const old = fact ? isOld(fact, this.page.situation()) : true;
    for (const section of this.sections) section.classList.toggle('old', old);
    this.profits.classList.toggle('old', this.page.isStreamOld());
    const unreadable = reconciliation?.cash?.unreadable ?? [];
    this.unreadable.textContent = unreadable.length ? `The exchange does not report by itself: ${unreadable.join(', ')}. They would stand under unexplained.` : '';
    setText(this.age, fact ? `${ago(this.page.now() - fact.asOf)}${old ? ' · old' : ''}` : 'the service has not reconciled yet');
    const amounts = cashOf(reconciliation);
    fillList(this.cash, amounts.map(([name, title, value]) => [title, SUMS.has(name) ? money(value) : profit(value), name === 'unexplained' && value ? 'differs' : SUMS.has(name) ? 'sum' : tone(value)]));
    drawBars(this.cash, amounts.map(([name, , value]) => (STANDING.has(name) ? null : value)));
    const differences = Array.isArray(reconciliation?.differences) ? reconciliation.differences : [];
    const open = differences.filter((/** @type {any} */ row) => (row.cause ?? 'unknown') === 'unknown').length;
    setText(this.summary, reconciliation ? `${count(differences.length)} found${open ? `, ${count(open)} without a known cause` : ''}` : 'not compared');
    this.table.show(differences);
    setText(this.value, valueText(reconciliation?.value));
    const unknown = totals.fees_unknown ? ` (${count(totals.fees_unknown)} trades without a fee)` : '';
    fillList(this.profit, [
      ['Realized', profit(totals.realized_pnl), tone(totals.realized_pnl)],
      ['Unrealized', profit(totals.unrealized_pnl), tone(totals.unrealized_pnl)],
      ['Fees', `${money(totals.fees)}${unknown}`],
      ['Net profit', profit(totals.net), `sum ${tone(totals.net)}`],
      ['Open positions cost', money(totals.cost)],
      ['Open positions are worth', money(totals.value)],
      ['Trades', count(totals.trades)],
    ]);
    drawBars(this.profit, [totals.realized_pnl, totals.unrealized_pnl, totals.fees].map((value, at) => (value === null ? null : at === 2 ? -Number(value) : Number(value))));
  }
}

/**
 * Draw a bar in each row of a list: amounts as steps, each of which begins where the one before ended.
 * @param {HTMLElement} list
 * @param {(number | null)[]} steps null: no bar
 */
export function drawBars(list, steps) {
  let level = 0;
  const bars = steps.map((step) => (step ? { from: level, to: level += step } : null));
  const ends = bars.flatMap((bar) => (bar ? [bar.from, bar.to] : []));
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const place = (/** @type {number} */ dollars) => `${(((dollars - low) / (high - low || 1)) * 100).toFixed(2)}%`;
  [...list.children].forEach((row, at) => {
    const { style } = /** @type {HTMLElement} */ (row);
    const bar = bars[at] ?? { from: low, to: low };
    style.setProperty('--bar', `color-mix(in srgb, var(--${bar.to < bar.from ? 'loss' : 'gain'}) 60%, transparent)`);
    style.setProperty('--from', place(Math.min(bar.from, bar.to)));
    style.setProperty('--to', place(Math.max(bar.from, bar.to)));
  });
}

/** @param {number | null} value */
function figureText(value) {
  return precise(value === null ? null : Math.round(value * 1e6) / 1e6);
}

/**
 * Return the causes of cash with their amounts: the known ones in order, then any that a newer service names.
 * @param {any} reconciliation
 * @returns {[string, string, number | null][]}
 */
export function cashOf(reconciliation) {
  const cash = reconciliation?.cash ?? {};
  /** @type {[string, string, number | null][]} */
  const known = CASH.filter(([name]) => name in cash || !['other', 'transfer_fees'].includes(name)).map(([name, title]) => [name, title, amountOf(cash[name])]);
  const more = Object.entries(cash).filter(([name, value]) => typeof value === 'number' && !CASH.some(([each]) => each === name) && !/as_of|since|timestamp/.test(name));
  return [...known.slice(0, -3), ...more.map(([name, value]) => /** @type {[string, string, number]} */ ([name, name.replaceAll('_', ' '), Number(value)])), ...known.slice(-3)];
}

/**
 * Return what the open positions are worth on both sides; empty where the service does not compare it.
 * @param {any} value
 */
export function valueText(value) {
  if (!value) return '';
  const apart = value.difference ? ` (${profit(value.difference)}: ${value.cause ?? 'unknown'})` : '';
  return `Open positions are worth ${money(value.journal)} by our marks, and ${money(value.exchange)} by the exchange${apart}.`;
}

/** @param {unknown} value */
function amountOf(value) {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null) return null;
  return Object.values(value).reduce((sum, each) => sum + (typeof each === 'number' ? each : 0), 0); // causes within a cause
}
