/** The row of figures on top: each with its source and age, old when it is not confirmed, a dash when it is unknown. */

import { find, h, setAttribute, setText } from './dom.js';
import { ago, compactMoney, count, exactMoney, fullTime, money, profit, tone } from './format.js';
import { isOld, sourceName } from './staleness.js';

/** @typedef {import('./staleness.js').Fact} Fact */
/** @typedef {import('./staleness.js').Situation} Situation */
/** @typedef {{ value: string | number | null, fact: Fact | null, note?: string, signed?: boolean }} Figure */

const CARDS = /** @type {const} */ ([
  ['cash', 'Cash'], ['value', 'Positions'], ['net', 'Net profit'], ['unrealized', 'Unrealized'], ['realized', 'Realized'], ['fees', 'Fees'],
  ['drawdown', 'Drawdown'], ['unexplained', 'Unexplained'],
]);
/** @typedef {typeof CARDS[number][0]} FigureName */

const LONG = 11; // characters beyond which a figure is shown compact
const MILLION = 1e6; // dollars

export class Figures {
  /** @param {HTMLElement} place */
  constructor(place) {
    /** @type {Map<string, HTMLElement>} */
    this.cards = new Map();
    for (const [name, title] of CARDS) {
      const card = h('div', { class: 'figure', 'data-name': name }, h('h2', {}, title), h('span', { class: 'number' }, '–'), h('span', { class: 'age' }, ''));
      this.cards.set(name, card);
      place.append(card);
    }
  }

  /**
   * @param {FigureName} name
   * @param {Figure} figure
   * @param {Situation} situation
   */
  set(name, { value, fact, note = '', signed = false }, situation) {
    const card = this.cards.get(name);
    if (!card) return;
    const [number, age] = [find('.number', card), find('.age', card)];
    const text = signed ? profit(value) : money(value);
    const shown = text.length > LONG ? (signed ? profit(value, compactMoney) : compactMoney(value)) : text;
    setText(number, shown);
    const exact = value === null ? null : exactMoney(value);
    setAttribute(number, 'title', exact);
    setAttribute(number, 'data-full', shown === text ? null : exact);
    number.className = `number ${signed ? tone(value) : ''}`;
    const old = fact !== null && isOld(fact, situation);
    card.classList.toggle('old', old);
    setText(age, note || (fact ? source(fact, old, situation) : 'unknown'));
    setAttribute(age, 'title', fact ? `${sourceName(fact.source)}, as of ${fullTime(fact.asOf)}${fact.note ? `. ${fact.note}` : ''}` : null);
  }
}

/**
 * @param {Fact} fact
 * @param {boolean} old
 * @param {Situation} situation
 */
function source(fact, old, situation) {
  if (fact.stream && !old) return 'live';
  return `${old ? 'old · ' : ''}${sourceName(fact.source)} · ${ago(situation.now - fact.asOf)}`;
}

/**
 * Show the figures of a page.
 * @param {Figures} figures
 * @param {import('./dashboard.js').Page} page
 * @param {Situation} situation
 */
export function drawFigures(figures, { model, ready, rows, totals, drawdown, stream: { received } }, situation) {
  figures.set('cash', cashFigure(model), situation);
  const reconciled = model.reconciliation?.cash?.unexplained;
  const known = typeof reconciled === 'number';
  figures.set('unexplained', { value: known ? reconciled : null, fact: model.reconciliationFact, signed: true, note: known ? '' : 'not reconciled' }, situation);
  if (!ready) return;
  const stream = { source: 'stream', asOf: received || situation.now, received: situation.now, stale: false, term: Infinity, stream: true };
  const marked = totals.open ? model.oldestMark(rows, situation) ?? stream : stream;
  const unpriced = totals.unmarked ? `${count(totals.unmarked)} without a price` : '';
  figures.set('value', { value: totals.value, fact: marked, note: unpriced }, situation);
  figures.set('unrealized', { value: totals.unrealized_pnl, fact: marked, signed: true, note: unpriced }, situation);
  figures.set('net', { value: totals.net, fact: marked, signed: true, note: unpriced }, situation);
  figures.set('realized', { value: totals.realized_pnl, fact: stream, signed: true }, situation);
  figures.set('fees', { value: totals.fees, fact: stream, note: totals.fees_unknown ? `${count(totals.fees_unknown)} unknown` : '' }, situation);
  figures.set('drawdown', { value: drawdown ? -drawdown.now : null, fact: stream, signed: true, note: drawdown ? `deepest ${drawdown.depth < MILLION ? money(drawdown.depth) : compactMoney(drawdown.depth)}` : '' }, situation);
}

/** @param {import('./model.js').Model} model @returns {Figure} */
function cashFigure({ cash, health, mode }) {
  if (health?.parts.kalshi?.keys === false) return { value: null, fact: null, note: 'hidden without keys' };
  if (!cash) return { value: null, fact: null, note: 'not known yet' };
  return { value: cash.amount, fact: mode === 'paper' ? { ...cash.fact, note: 'The cash of the real account; paper trades do not move it.' } : cash.fact };
}
