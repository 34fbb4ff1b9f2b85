/** The table of positions, computed from the journal alone, with the exchange's word beside it where that differs. */

import { empty, h, one, say } from './dom.js';
import { count, gain, money, plain, price, tone } from './format.js';
import { told, why } from './verdict.js';

/** @typedef {import('./types').Position} Position */

const HEADS = [['Market', ''], ['Held', 'n'], ['Average', 'n mid'], ['Mark', 'n mid'], ['Value', 'n low'], ['Unrealized', 'n'], ['Realized', 'n low'], ['Fees', 'n low']];

export class Holdings {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.place = one('.table', section);
    this.check = one('#positions-check', section);
    this.why = one('#positions-why', section);
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
    /** @type {{ rows: Position[], titles: Map<string, string>, differing: import('./compare.js').Compared | null, old: boolean } | null} */
    this.shown = null;
  }

  /**
   * @param {Position[]} rows
   * @param {Map<string, string>} titles
   * @param {import('./compare.js').Compared | null} differing what the exchange says instead; null when it was not asked
   * @param {boolean} old whether one of the two is not of this moment
   */
  show(rows, titles, differing, old) {
    this.shown = { rows, titles, differing, old };
    this.draw();
  }

  /**
   * Positions need the whole journal: say how far it has been read.
   * @param {string} progress
   */
  wait(progress) {
    this.shown = null;
    const title = this.place.querySelector('.empty strong');
    if (title && !this.table.isConnected) say(title, progress);
    else this.place.replaceChildren(empty(progress, 'Positions and profit follow from all of it; the newest trades are shown already.'));
  }

  draw() {
    if (!this.shown) return;
    const { rows, titles, differing, old } = this.shown;
    const all = this.closed.getAttribute('aria-pressed') === 'true';
    const kept = this.#ordered(rows.filter((row) => row.outcome !== null || (all && row.trades > 0)));
    say(this.check, told(differing, old));
    this.check.className = `${differing?.quantities ? 'differs' : 'minor'}${old ? ' old' : ''}`;
    say(this.why, why(differing));
    this.why.hidden = this.why.textContent === '';
    this.why.classList.toggle('old', old);
    this.body.classList.toggle('old', old);
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
      fill(element, row, titles.get(row.ticker), differing?.rows.get(row.ticker));
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
 * @param {import('./compare.js').Difference | undefined} theirs
 */
function fill(element, row, title, theirs) {
  const [market, held, average, mark, value, unrealized, realized, fees] = [...element.cells];
  say(market.children[0], title ?? row.ticker);
  market.title = title ? `${title} (${row.ticker})` : row.ticker;
  market.children[1].toggleAttribute('hidden', !title);
  const text = row.outcome ? `${count(row.quantity.replace('-', ''))} ${row.outcome === 'yes' ? 'YES' : 'NO '}` : 'closed';
  beside(held, text, theirs?.quantity === null || !theirs ? '' : `exchange: ${plain(theirs.quantity)}`, 'differs');
  beside(average, price(row.average_price), theirs?.average === null || !theirs ? '' : `≠ ${price(theirs.average)}`, 'other');
  say(mark, price(row.mark));
  say(value, money(row.value));
  for (const [cell, amount] of /** @type {[HTMLElement, string | null][]} */ ([[unrealized, row.unrealized_pnl], [realized, row.realized_pnl]])) {
    beside(cell, gain(amount), cell !== realized || theirs?.realized === null || !theirs ? '' : `≠ ${gain(theirs.realized)}`, 'other');
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

/**
 * A number, and under it what the exchange says instead.
 * @param {HTMLElement} cell
 * @param {string} text
 * @param {string} said
 * @param {string} kind
 */
function beside(cell, text, said, kind) {
  if (cell.textContent === text + said && cell.childNodes.length === (said ? 2 : 1)) return;
  cell.replaceChildren(text, ...(said ? [h('span', { class: kind, title: 'what the exchange says' }, said)] : []));
}
