/** The curve of profit and loss: an SVG as large as its place, redrawn when either changes, read by pointer or arrow keys. */

import { thinned, ticks } from './curve.js';
import { empty, svg } from './dom.js';
import { gain, moment, money } from './format.js';

/** @typedef {{ line: import('./curve.js').Line, since: number, now: number, open: number | null }} Data open: profit with the open positions */

const EDGE = { left: 62, right: 14, top: 12, bottom: 26 };

export class Chart {
  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} readout
   */
  constructor(place, readout) {
    this.place = place;
    this.readout = readout;
    /** @type {Data | null} */
    this.data = null;
    /** @type {[number, number][]} */
    this.points = [];
    this.chosen = -1;
    // Its size is told and not asked for: to ask would lay the whole page out in the midst of a change.
    this.width = 0;
    this.height = 0;
    new ResizeObserver(([{ contentRect }]) => {
      [this.width, this.height] = [contentRect.width, contentRect.height];
      this.draw();
    }).observe(place);
    place.addEventListener('pointermove', (event) => this.#choose(this.#nearest(event.clientX - place.getBoundingClientRect().left)));
    place.addEventListener('pointerleave', () => this.#choose(-1));
    place.addEventListener('blur', () => this.#choose(-1));
    place.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {Data} data */
  show(data) {
    this.data = data;
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { line, since, now, open } = this.data;
    const { width, height } = this;
    if (width < 80) return;
    this.points = thinned(line, since, now, Math.max(60, width - EDGE.left - EDGE.right));
    if (this.points.length === 0) {
      this.place.replaceChildren(empty('Nothing was realized in this period', 'The curve begins with the first position that closes.'));
      return;
    }
    const [first, last] = [this.points[0], this.points[this.points.length - 1]];
    const begin = Math.min(first[0], now - 60);
    const levels = [...this.points.map((point) => point[1]), ...(open === null ? [] : [open]), 0];
    const [low, high] = padded(Math.min(...levels), Math.max(...levels));
    this.x = (/** @type {number} */ time) => EDGE.left + ((time - begin) / Math.max(now - begin, 1)) * (width - EDGE.left - EDGE.right);
    this.y = (/** @type {number} */ level) => EDGE.top + ((high - level) / (high - low)) * (height - EDGE.top - EDGE.bottom);
    const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    this.#axes(root, width, height, [low, high], [begin, now]);
    const path = stepped(this.points, this.x, this.y, now);
    root.append(svg('path', { class: 'area data', d: `${path}V${this.y(0)}H${this.x(first[0])}Z` }), svg('path', { class: 'line data', d: path }));
    const end = open ?? last[1];
    if (open !== null) root.append(svg('path', { class: 'open data', d: `M${this.x(now)},${this.y(last[1])}V${this.y(open)}` }));
    root.append(svg('circle', { class: 'dot data', cx: this.x(now), cy: this.y(end), r: 4.5 }));
    this.cross = svg('g');
    root.append(this.cross);
    this.place.replaceChildren(root);
    this.#choose(Math.min(this.chosen, this.points.length - 1));
  }

  /**
   * @param {SVGElement | Element} root
   * @param {number} width
   * @param {number} height
   * @param {[number, number]} levels
   * @param {[number, number]} times
   */
  #axes(root, width, height, levels, times) {
    if (!this.x || !this.y) return;
    for (const level of ticks(...levels, 4)) {
      const y = Math.round(this.y(level)) + 0.5;
      root.append(
        svg('line', { class: level === 0 ? 'zero' : 'grid', x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }),
        svg('text', { x: EDGE.left - 8, y: y + 4, 'text-anchor': 'end' }, short(level)),
      );
    }
    const marks = Math.max(2, Math.min(6, Math.floor(width / 150)));
    for (let at = 0; at <= marks; at += 1) {
      const time = times[0] + ((times[1] - times[0]) * at) / marks;
      const anchor = at === 0 ? 'start' : at === marks ? 'end' : 'middle';
      root.append(svg('text', { x: this.x(time), y: height - 6, 'text-anchor': anchor }, at === marks ? 'now' : hour(time, times[1] - times[0])));
    }
  }

  /** @param {number} x */
  #nearest(x) {
    let best = -1;
    for (let at = 0; at < this.points.length; at += 1) {
      if (this.x && this.x(this.points[at][0]) <= x) best = at;
    }
    return Math.max(0, best);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const begin = this.chosen < 0 ? this.points.length : this.chosen;
    this.#choose(Math.max(0, Math.min(this.points.length - 1, begin + step)));
    this.place.setAttribute('aria-description', this.readout.textContent ?? '');
  }

  /** @param {number} at index of a point; -1 for none */
  #choose(at) {
    this.chosen = at;
    const point = this.points[at];
    this.readout.textContent = point ? `${moment(point[0])}  ${gain(point[1])}` : 'realized, after fees; dotted: with open positions';
    if (!this.cross || !this.x || !this.y) return;
    if (!point) return this.cross.replaceChildren();
    const [x, y] = [this.x(point[0]), this.y(point[1])];
    this.cross.replaceChildren(
      svg('line', { class: 'cross', x1: x, x2: x, y1: EDGE.top, y2: this.height - EDGE.bottom }),
      svg('circle', { class: 'dot', cx: x, cy: y, r: 4 }),
    );
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
 * Profit stands still between two moves: the line goes in steps.
 * @param {[number, number][]} points
 * @param {(time: number) => number} x
 * @param {(level: number) => number} y
 * @param {number} now
 */
function stepped(points, x, y, now) {
  const steps = points.map(([time, level], at) => (at === 0 ? `M${x(time).toFixed(1)},${y(level).toFixed(1)}` : `H${x(time).toFixed(1)}V${y(level).toFixed(1)}`));
  return `${steps.join('')}H${x(now).toFixed(1)}`;
}

/** @param {number} level */
function short(level) {
  if (Math.abs(level) < 10_000) return money(Math.abs(level) < 1e-9 ? 0 : level).replace(/\.00$/, '');
  return `${level < 0 ? '\u2212' : ''}$${(Math.abs(level) / 1000).toFixed(1).replace(/\.0$/, '')}k`;
}

/**
 * @param {number} time
 * @param {number} span seconds that the axis covers
 */
function hour(time, span) {
  const date = new Date(time * 1000);
  if (span > 3 * 86_400) return new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' }).format(date);
  const second = span < 900 ? '2-digit' : undefined;
  return new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second, hourCycle: 'h23' }).format(date);
}
