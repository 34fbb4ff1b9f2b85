/** The row of figures at the top: cash, what is held, profit and loss; each with its own source and age. */

import { mark } from './age.js';
import { h, one, say } from './dom.js';
import { gain, money, tone } from './format.js';

/** @typedef {import('./age.js').Stamp} Stamp */

const CARDS = /** @type {const} */ ([
  ['cash', 'Cash'], ['value', 'Value of positions'], ['net', 'Net profit'], ['unrealized', 'Unrealized'], ['realized', 'Realized'], ['fees', 'Fees'],
]);

export class Figures {
  /** @param {HTMLElement} place */
  constructor(place) {
    /** @type {Map<string, HTMLElement>} */
    this.cards = new Map();
    for (const [name, title] of CARDS) {
      const card = h('div', { class: 'figure panel loading' }, h('h2', {}, title), h('span', { class: 'number' }, '$0.00'), h('span', { class: 'age' }, 'reading…'));
      this.cards.set(name, card);
      place.append(card);
    }
  }

  /**
   * @param {typeof CARDS[number][0]} name
   * @param {number | string | null} value
   * @param {Stamp} stamp
   */
  set(name, value, stamp) {
    const card = this.cards.get(name);
    if (!card) return;
    card.classList.remove('loading');
    const signed = name === 'net' || name === 'unrealized' || name === 'realized';
    const number = one('.number', card);
    say(number, signed ? gain(value) : money(value));
    number.className = `number ${signed ? tone(value) : ''}`;
    mark(one('.age', card), stamp, card);
  }

  /**
   * It cannot be had: say why, and pretend nothing.
   * @param {typeof CARDS[number][0]} name
   * @param {string} why
   */
  fail(name, why) {
    const card = this.cards.get(name);
    if (!card?.classList.contains('loading')) return; // an older number stays, and turns grey by its age
    say(one('.number', card), '–');
    say(one('.age', card), why);
    one('.age', card).title = why;
    card.classList.remove('loading');
  }
}
