/** Profit and loss by market: bars to the left and right of zero, the largest first, each with its name and its number. */

import { empty, h } from './dom.js';
import { gain } from './format.js';

/** @typedef {{ name: string, value: number }} Bar */

const ROW = 30;
const TAIL = 12; // letters after the last dash that are kept whole: strikes differ there, and only there

export class Bars {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {Bar[] | null} */
    this.bars = null;
    // Its height is told and not asked for: to ask would lay the whole page out in the midst of a change.
    this.height = 0;
    new ResizeObserver(([{ contentRect }]) => {
      this.height = contentRect.height;
      this.draw();
    }).observe(place);
  }

  /** @param {Bar[]} bars */
  show(bars) {
    this.bars = [...bars].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    this.draw();
  }

  draw() {
    if (!this.bars || this.height === 0) return;
    const bars = this.bars.slice(0, Math.max(1, Math.floor(this.height / ROW)));
    if (bars.length === 0) {
      this.place.replaceChildren(empty('No market has made or lost money yet', 'Each market appears with its first trade.'));
      return;
    }
    const most = Math.max(...bars.map((bar) => Math.abs(bar.value)), 0.01);
    const [losing, winning] = [bars.some((bar) => bar.value < 0), bars.some((bar) => bar.value > 0)];
    const zero = losing ? (winning ? 50 : 100) : 0; // per cent of the track, as all below
    const unit = (losing && winning ? 50 : 100) / most;
    this.place.replaceChildren(h('ul', { class: 'bars' }, ...bars.map((bar) => item(bar, zero, unit))));
  }
}

/**
 * @param {Bar} bar
 * @param {number} zero
 * @param {number} unit per cent a dollar
 */
function item({ name, value }, zero, unit) {
  const length = Math.abs(value) * unit;
  const line = h('i', { class: `data ${value < 0 ? 'bar-loss' : 'bar-gain'}` });
  line.style.left = `${value < 0 ? zero - length : zero}%`;
  line.style.width = `max(1.5px, ${length}%)`;
  const axis = h('i', { class: 'zero' });
  axis.style.left = `${zero}%`;
  return h('li', {}, label(name), h('span', { class: 'track', 'aria-hidden': 'true' }, line, axis), h('span', { class: 'amount fig' }, gain(value)));
}

/**
 * Cut in its middle where the column is narrow.
 * @param {string} name
 */
function label(name) {
  const dash = name.lastIndexOf('-');
  const cut = dash > 0 && name.length - dash <= TAIL ? dash : name.length;
  return h('span', { class: 'name', title: name }, h('span', { class: 'head' }, name.slice(0, cut)), h('span', {}, name.slice(cut)));
}
