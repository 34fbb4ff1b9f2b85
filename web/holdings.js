/** The table of positions, computed from the journal alone, with the exchange's word beside it where that differs. */

import { empty, h, one, say } from './dom.js';
import { count, gain, money, plain, price, tone } from './format.js';

/** @typedef {import('./types').Position} Position */

const HEADS = [['Market', ''], ['Held', 'n'], ['Average', 'n mid'], ['Mark', 'n mid'], ['Value', 'n low'], ['Unrealized', 'n'], ['Realized', 'n low'], ['Fees', 'n low']];

export class Holdings {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.place = one('.table', section);
    this.check = one('#positions-check', section);
    this.closed = one('#closed', section);
    this.closed.addEventListener('click', () => {
      this.closed.setAttribute('aria-pressed', String(this.closed.getAttribute('aria-pressed') !== 'true'));
      this.draw();
    });
    this.body = h('tbody');
    this.table = h('table', {}, h('caption', { class: 'unseen' }, 'Positions'),
      h('thead', {}, h('tr', {}, ...HEADS.map(([text, kind]) => h('th', { scope: 'col', class: kind || undefined }, text)))), this.body);
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
    /** @type {Map<string, number>} where each row stands */
    this.order = new Map();
    /** @type {{ rows: Position[], titles: Map<string, string>, differing: Map<string, number> | null } | null} */
    this.shown = null;
  }

  /**
   * @param {Position[]} rows
   * @param {Map<string, string>} titles
   * @param {Map<string, number> | null} differing what the exchange says instead; null when it was not asked
   */
  show(rows, titles, differing) {
    this.shown = { rows, titles, differing };
    this.draw();
  }

  draw() {
    if (!this.shown) return;
    const { rows, titles, differing } = this.shown;
    const all = this.closed.getAttribute('aria-pressed') === 'true';
    const kept = this.#ordered(rows.filter((row) => row.outcome !== null || (all && row.trades > 0)));
    say(this.check, told(differing));
    this.check.className = differing?.size ? 'differs' : 'minor';
    if (kept.length === 0) {
      this.rows.clear();
      const hint = rows.some((row) => row.trades > 0) && !all ? 'Closed ones are behind the button above.' : 'The first trade opens one.';
      this.place.replaceChildren(empty('No open positions', hint));
      return;
    }
    if (!this.table.isConnected) this.place.replaceChildren(this.table);
    const wanted = new Set(kept.map((row) => row.ticker));
    for (const [ticker, element] of this.rows) if (!wanted.has(ticker)) { element.remove(); this.rows.delete(ticker); }
    kept.forEach((row, at) => {
      const element = this.rows.get(row.ticker) ?? this.#row(row.ticker);
      fill(element, row, titles.get(row.ticker), differing?.get(row.ticker));
      if (this.body.children[at] !== element) this.body.insertBefore(element, this.body.children[at] ?? null);
    });
  }

  /**
   * The largest first when a row comes or goes; in between, values change and rows stay where the eye left them.
   * @param {Position[]} rows
   */
  #ordered(rows) {
    const same = rows.length === this.order.size && rows.every((row) => this.order.has(row.ticker));
    if (!same) this.order = new Map([...rows].sort(byValue).map((row, at) => [row.ticker, at]));
    return rows.sort((a, b) => (this.order.get(a.ticker) ?? 0) - (this.order.get(b.ticker) ?? 0));
  }

  /** @param {string} ticker */
  #row(ticker) {
    const market = h('td', { class: 'market' }, h('b'), h('span', { class: 'minor' }, ticker));
    const row = h('tr', {}, market, ...HEADS.slice(1).map(([, kind]) => h('td', { class: kind })));
    this.rows.set(ticker, row);
    return row;
  }
}

/**
 * @param {HTMLTableRowElement} element
 * @param {Position} row
 * @param {string | undefined} title
 * @param {number | undefined} theirs
 */
function fill(element, row, title, theirs) {
  const [market, held, average, mark, value, unrealized, realized, fees] = [...element.cells];
  say(market.children[0], title ?? row.ticker);
  market.title = title ? `${title} (${row.ticker})` : row.ticker;
  market.children[1].toggleAttribute('hidden', !title);
  const text = row.outcome ? `${count(row.quantity.replace('-', ''))} ${row.outcome === 'yes' ? 'YES' : 'NO '}` : 'closed';
  if (held.firstChild?.nodeValue !== text) held.replaceChildren(text);
  const said = theirs === undefined ? '' : `exchange: ${plain(theirs)}`;
  if ((held.querySelector('.differs')?.textContent ?? '') !== said) held.replaceChildren(text, ...(said ? [h('span', { class: 'differs' }, said)] : []));
  say(average, price(row.average_price));
  say(mark, price(row.mark));
  say(value, money(row.value));
  for (const [cell, amount] of /** @type {[HTMLElement, string | null][]} */ ([[unrealized, row.unrealized_pnl], [realized, row.realized_pnl]])) {
    say(cell, gain(amount));
    cell.className = `n ${cell === realized ? 'low ' : ''}${tone(amount)}`;
  }
  say(fees, `${money(row.fees)}${row.fees_unknown ? ' +?' : ''}`);
  fees.title = row.fees_unknown ? `${row.fees_unknown} trades came without their fee` : '';
}

/**
 * Open ones first, the largest first.
 * @param {Position} a
 * @param {Position} b
 */
function byValue(a, b) {
  return Number(b.outcome !== null) - Number(a.outcome !== null) || Number(b.value ?? b.cost) - Number(a.value ?? a.cost) || (a.ticker < b.ticker ? -1 : 1);
}

/** @param {Map<string, number> | null} differing */
function told(differing) {
  if (!differing) return '';
  if (differing.size === 0) return 'quantities agree with the exchange';
  return `▲ ${differing.size} differ from the exchange`;
}
