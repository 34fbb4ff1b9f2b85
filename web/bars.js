/** Profit and loss by market: bars to the left and right of zero, the largest first, each with its name and its number. */

import { empty, svg } from './dom.js';
import { gain } from './format.js';

/** @typedef {{ name: string, value: number }} Bar */

const ROW = 30;

export class Bars {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {Bar[] | null} */
    this.bars = null;
    // Its size is told and not asked for: to ask would lay the whole page out in the midst of a change.
    this.width = 0;
    this.height = 0;
    new ResizeObserver(([{ contentRect }]) => {
      [this.width, this.height] = [contentRect.width, contentRect.height];
      this.draw();
    }).observe(place);
  }

  /** @param {Bar[]} bars */
  show(bars) {
    this.bars = [...bars].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    this.draw();
  }

  draw() {
    if (!this.bars) return;
    const { width, height } = this;
    if (width < 80) return;
    const fits = Math.max(1, Math.floor(height / ROW));
    const bars = this.bars.slice(0, fits);
    if (bars.length === 0) {
      this.place.replaceChildren(empty('No market has made or lost money yet', 'Each market appears with its first trade.'));
      return;
    }
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': bars.map((bar) => `${bar.name} ${gain(bar.value)}`).join(', ') });
    const most = Math.max(...bars.map((bar) => Math.abs(bar.value)), 0.01);
    const [left, right] = [Math.round(width * 0.46), 84];
    const losing = bars.some((bar) => bar.value < 0);
    const winning = bars.some((bar) => bar.value > 0);
    const room = width - left - right - 8;
    const zero = left + (losing ? (winning ? room / 2 : room) : 0);
    const unit = (losing && winning ? room / 2 : room) / most;
    bars.forEach((bar, at) => {
      const middle = at * ROW + ROW / 2 + 3;
      const length = Math.max(1.5, Math.abs(bar.value) * unit);
      root.append(
        svg('text', { class: 'name', x: 8, y: middle + 4 }, clipped(bar.name, (left - 16) / 6.9)),
        svg('rect', { class: `data ${bar.value < 0 ? 'bar-loss' : 'bar-gain'}`, x: bar.value < 0 ? zero - length : zero, y: middle - 7, width: length, height: 14, rx: 2.5 }),
        svg('text', { class: 'amount', x: width - 2, y: middle + 4, 'text-anchor': 'end' }, gain(bar.value)),
      );
    });
    root.append(svg('line', { class: 'zero', x1: zero, x2: zero, y1: 4, y2: bars.length * ROW + 2 }));
    this.place.replaceChildren(root);
  }
}

/**
 * @param {string} name
 * @param {number} room characters that fit
 */
function clipped(name, room) {
  return name.length <= room ? name : `${name.slice(0, Math.max(3, Math.floor(room) - 1))}…`;
}
