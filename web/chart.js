/** The curve of profit with its drawdown beneath: zoom by dragging, values on hover or by arrow keys, marks of trades. */

import { emptyNote, observeSize, setText, svg } from './dom.js';
import { fullTime, money, profit } from './format.js';
import { firstAtOrAfter, thin } from './profit_curve.js';
import { numberTicks, timeTicks } from './ticks.js';

/** @typedef {import('./profit_curve.js').Curve} Curve */
/**
 * from, to: the chosen range; infinite for all. now: the last confirmed time, the right edge. open: profit with open positions.
 * openOld: the marks of open positions are not confirmed at this moment. trades, settlements: times of the marks at the edge.
 * @typedef {{ line: Curve, from: number, to: number, now: number, open: number | null, openOld: boolean, trades: number[], settlements: number[] }} Data
 */

const EDGE = { left: 60, right: 14, top: 10, bottom: 22 };
const MARKS = 400; // marks of trades beyond which they are not drawn
const LEAST = 1; // seconds that a zoom shows at least
let charts = 0;

export class Chart {
  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} readout
   * @param {(from: number, to: number) => void} zoomed
   */
  constructor(place, readout, zoomed) {
    this.place = place;
    this.readout = readout;
    this.zoomed = zoomed;
    this.id = `clip-${charts += 1}`;
    /** @type {Data | null} */
    this.data = null;
    /** @type {[number, number][]} */
    this.points = [];
    this.chosen = -1;
    this.width = 0;
    this.height = 0;
    /** @type {[number, number]} the times at the edges */
    this.times = [0, 1];
    /** @type {[number, number]} the dollars at the edges */
    this.range = [0, 1];
    /** the pixel row between curve and drawdown */
    this.split = 1;
    this.plot = svg('g');
    this.cursor = svg('g');
    /** @type {number | null} where a drag began, in pixels */
    this.dragged = null;
    observeSize(place, () => this.#measure());
    this.#listen();
  }

  #measure() {
    const { paddingLeft, paddingRight, paddingTop, paddingBottom } = getComputedStyle(this.place);
    this.width = this.place.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    this.height = this.place.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
    this.draw();
  }

  /** @param {Data} data */
  show(data) {
    this.data = data;
    this.draw();
  }

  draw() {
    if (!this.data || this.width < 120 || this.height < 60) return;
    const { line, from, to, now, open } = this.data;
    const end = Number.isFinite(to) ? Math.min(to, now) : now;
    this.points = thin(line, from, end, Math.max(60, this.width - EDGE.left - EDGE.right));
    if (this.points.length === 0) {
      this.place.replaceChildren(emptyNote('No trade in this range', 'The curve begins with the first trade.'));
      return;
    }
    this.times = [Number.isFinite(from) ? from : Math.min(this.points[0][0], end - 60), end];
    const atNow = end >= now - 1;
    const levels = [...this.points.map((point) => point[1]), ...(open !== null && atNow ? [open] : []), 0];
    const falls = thin({ times: line.times, totals: line.falls }, from, end, Math.max(60, this.width - EDGE.left - EDGE.right));
    this.split = this.height > 150 ? Math.round((this.height - EDGE.bottom) * 0.76) : this.height - EDGE.bottom;
    this.range = padded(Math.min(...levels), Math.max(...levels));
    const root = svg('svg', { viewBox: `0 0 ${this.width} ${this.height}`, 'aria-hidden': 'true' });
    const clip = svg('clipPath', { id: this.id }, svg('rect', { x: EDGE.left, y: 0, width: this.width - EDGE.left - EDGE.right + 6, height: this.height }));
    this.plot = svg('g', { 'clip-path': `url(#${this.id})` });
    root.append(clip, this.plot);
    this.#axes(root);
    this.#curve(open !== null && atNow ? open : null);
    if (this.split < this.height - EDGE.bottom) this.#drawdown(falls);
    this.#marks();
    this.cursor = svg('g');
    root.append(this.cursor);
    this.place.replaceChildren(root);
    this.#choose(Math.min(this.chosen, this.points.length - 1));
  }

  /** @param {number} time */
  #x(time) {
    const [begin, end] = this.times;
    const share = Math.max(0, Math.min(1, (time - begin) / Math.max(end - begin, LEAST)));
    return EDGE.left + share * (this.width - EDGE.left - EDGE.right);
  }

  /** @param {number} level */
  #y(level) {
    const [low, high] = this.range;
    return EDGE.top + ((high - level) / (high - low)) * (this.split - EDGE.top - 6);
  }

  /** @param {Element} root */
  #axes(root) {
    const right = this.width - EDGE.right;
    const [low, high] = this.range;
    for (const level of numberTicks(low, high, Math.max(2, Math.min(5, this.split / 44)))) {
      const y = Math.round(this.#y(level)) + 0.5;
      root.append(
        svg('line', { class: level === 0 ? 'zero' : 'grid', x1: EDGE.left, x2: right, y1: y, y2: y }),
        svg('text', { x: EDGE.left - 8, y: y + 4, 'text-anchor': 'end' }, axisMoney(level)),
      );
    }
    for (const { time, label } of timeTicks(...this.times, Math.max(2, Math.floor(this.width / 75)))) {
      const x = this.#x(time);
      if (x < EDGE.left + 16 || x > right - 16) continue;
      root.append(
        svg('line', { class: 'grid', x1: x, x2: x, y1: EDGE.top, y2: this.height - EDGE.bottom }),
        svg('text', { x, y: this.height - 6, 'text-anchor': 'middle' }, label),
      );
    }
  }

  /** @param {number | null} open */
  #curve(open) {
    const [first, last] = [this.points[0], this.points[this.points.length - 1]];
    const path = steps(this.points, (time) => this.#x(time), (level) => this.#y(level), this.times[1]);
    this.plot.append(
      svg('path', { class: 'area data', d: `${path}V${this.#y(0)}H${this.#x(first[0])}Z` }),
      svg('path', { class: 'line data', d: path }),
    );
    const tone = open !== null && this.data?.openOld ? 'data unconfirmed' : 'data';
    if (open !== null) this.plot.append(svg('path', { class: `open ${tone}`, d: `M${this.#x(this.times[1])},${this.#y(last[1])}V${this.#y(open)}` }));
    this.plot.append(svg('circle', { class: `dot ${tone}`, cx: this.#x(this.times[1]), cy: this.#y(open ?? last[1]), r: 4 }));
  }

  /** @param {[number, number][]} falls */
  #drawdown(falls) {
    const [top, bottom] = [this.split + 4, this.height - EDGE.bottom];
    const deepest = Math.min(-0.01, ...falls.map((point) => point[1]));
    const y = (/** @type {number} */ level) => top + (level / deepest) * (bottom - top);
    const path = steps(falls, (time) => this.#x(time), y, this.times[1]);
    this.plot.append(
      svg('line', { class: 'zero', x1: EDGE.left, x2: this.width - EDGE.right, y1: top, y2: top }),
      svg('path', { class: 'fall data', d: `${path}V${top}H${this.#x(falls[0][0])}Z` }),
    );
    this.plot.parentElement?.append(svg('text', { x: EDGE.left - 8, y: bottom, 'text-anchor': 'end' }, axisMoney(deepest)));
  }

  /** Draw marks of trades and settlements along the bottom edge of the curve. */
  #marks() {
    const { trades, settlements } = /** @type {Data} */ (this.data);
    const bottom = this.split - 1;
    const inside = (/** @type {number[]} */ times) => times.slice(firstAtOrAfter(times, this.times[0]), firstAtOrAfter(times, this.times[1]));
    const shown = inside(trades);
    if (shown.length <= MARKS) for (const time of shown) this.plot.append(svg('line', { class: 'mark', x1: this.#x(time), x2: this.#x(time), y1: bottom - 5, y2: bottom }));
    for (const time of inside(settlements).slice(-MARKS)) {
      const x = this.#x(time);
      this.plot.append(svg('path', { class: 'settlement', d: `M${x - 4},${bottom}L${x},${bottom - 7}L${x + 4},${bottom}Z` }));
    }
  }

  #listen() {
    const { place } = this;
    const at = (/** @type {PointerEvent} */ event) => event.clientX - place.getBoundingClientRect().left;
    place.addEventListener('pointerdown', (event) => { if (event.button === 0) this.dragged = at(event); });
    place.addEventListener('pointermove', (event) => {
      this.#choose(this.#nearest(at(event)));
      if (this.dragged !== null) this.#brush(at(event));
    });
    place.addEventListener('pointerup', (event) => this.#zoomTo(at(event)));
    place.addEventListener('pointerleave', () => { this.dragged = null; this.#choose(-1); });
    place.addEventListener('blur', () => this.#choose(-1));
    place.addEventListener('dblclick', () => this.zoomed(-Infinity, Infinity));
    place.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {number} x */
  #time(x) {
    const share = (x - EDGE.left) / Math.max(1, this.width - EDGE.left - EDGE.right);
    const [begin, end] = this.times;
    return begin + Math.max(0, Math.min(1, share)) * (end - begin);
  }

  /** @param {number} x */
  #brush(x) {
    const [a, b] = [Math.min(x, this.dragged ?? x), Math.max(x, this.dragged ?? x)];
    if (b - a > 4) this.cursor.append(svg('rect', { class: 'brush', x: a, y: EDGE.top, width: b - a, height: Math.max(0, this.height - EDGE.bottom - EDGE.top) }));
  }

  /** @param {number} x */
  #zoomTo(x) {
    const from = this.dragged;
    this.dragged = null;
    if (from === null || Math.abs(x - from) < 6) return;
    const [begin, end] = [this.#time(Math.min(from, x)), this.#time(Math.max(from, x))];
    if (end - begin >= LEAST) this.zoomed(begin, end);
  }

  /** @param {number} x */
  #nearest(x) {
    let best = 0;
    for (let at = 0; at < this.points.length; at += 1) if (this.#x(this.points[at][0]) <= x) best = at;
    return best;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Escape') return this.zoomed(-Infinity, Infinity);
    const [begin, end] = this.times;
    const middle = this.chosen >= 0 ? this.points[this.chosen][0] : (begin + end) / 2;
    const span = (end - begin) / (event.key === '-' ? 1 : 4);
    if (event.key === '+' || event.key === '-') {
      event.preventDefault();
      return this.zoomed(middle - span, Math.min(middle + span, this.data?.now ?? Infinity));
    }
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || this.points.length === 0) return undefined;
    event.preventDefault();
    const start = this.chosen < 0 ? this.points.length : this.chosen;
    this.#choose(Math.max(0, Math.min(this.points.length - 1, start + step)));
    return this.place.setAttribute('aria-description', this.readout.textContent ?? '');
  }

  /** @param {number} at index of a point; -1 for none */
  #choose(at) {
    this.chosen = at;
    const point = this.points[at];
    setText(this.readout, point ? `${fullTime(point[0])}  ${profit(point[1])}` : 'after fees, dotted: open positions');
    if (!point) return this.cursor.replaceChildren();
    const [x, y] = [this.#x(point[0]), this.#y(point[1])];
    this.cursor.replaceChildren(
      svg('line', { class: 'cross', x1: x, x2: x, y1: EDGE.top, y2: this.height - EDGE.bottom }),
      svg('circle', { class: 'dot', cx: x, cy: y, r: 4 }),
    );
    return undefined;
  }
}

/**
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
function padded(low, high) {
  const room = Math.max((high - low) * 0.1, 0.05);
  return [low - room, high + room];
}

/**
 * Return the path of a line in steps: profit stays the same between two moves.
 * @param {[number, number][]} points
 * @param {(time: number) => number} x
 * @param {(level: number) => number} y
 * @param {number} end
 */
function steps(points, x, y, end) {
  const parts = points.map(([time, level], at) => (at === 0 ? `M${x(time).toFixed(1)},${y(level).toFixed(1)}` : `H${x(time).toFixed(1)}V${y(level).toFixed(1)}`));
  return `${parts.join('')}H${x(end).toFixed(1)}`;
}

/** @param {number} level */
function axisMoney(level) {
  if (Math.abs(level) >= 10_000) return `${level < 0 ? '\u2212' : ''}$${thousands(level)}`;
  return money(Math.abs(level) < 1e-9 ? 0 : level).replace(/\.00$/, '');
}

/** @param {number} level */
function thousands(level) {
  const size = Math.abs(level);
  return size >= 1e9 ? `${trim(size / 1e9)}B` : size >= 1e6 ? `${trim(size / 1e6)}M` : `${trim(size / 1e3)}K`;
}

/** @param {number} size */
function trim(size) {
  return String(Number(size.toPrecision(3)));
}
