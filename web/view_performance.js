/** The view Performance: the curve, win rate and drawdown, a calendar of days, profit by market; all from the entries. */

import { Chart } from './chart.js';
import { h } from './dom.js';
import { compactMoney, count, duration, exactMoney, money, percent, profit, shortDay, tone } from './format.js';
import { RangeControls, fillList, rangeOf } from './panels.js';
import { PositionList } from './position_list.js';
import { deepestDrawdown, firstAtOrAfter } from './profit_curve.js';
import { days, statistics, weeks } from './statistics.js';
import { panel } from './view_overview.js';

/** @typedef {import('./dashboard.js').Page} Page */

const REFRESH = 3000; // milliseconds between two computations over all closed trades

export class PerformanceView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.filters = h('div', { class: 'filters' });
    this.range = new RangeControls(this.filters, (parameters) => page.router.set(parameters));
    const readout = h('span', { class: 'readout' });
    const curve = panel('curve', 'Profit and drawdown', readout);
    curve.body.classList.add('chart', 'high');
    for (const [name, value] of Object.entries({ tabindex: '0', role: 'application', 'aria-label': 'Curve of profit and drawdown. Arrow keys read points, plus and minus zoom, Escape shows all.' })) curve.body.setAttribute(name, value);
    const figures = panel('statistics', 'Closed trades', h('span', { class: 'minor' }, 'a closed trade is a lot that was sold or paid'));
    this.list = h('dl', { class: 'facts' });
    figures.body.append(this.list);
    const calendar = panel('calendar', 'Days', h('span', { class: 'minor' }, 'realized, after fees'));
    this.calendar = h('div', { class: 'calendar', tabindex: '0', role: 'group', 'aria-label': 'Days' }); // scrolls on a narrow screen
    calendar.body.append(this.calendar);
    const markets = panel('bymarket', 'By market');
    markets.body.classList.add('table', 'half');
    place.append(this.filters, curve.element, h('div', { class: 'split even' }, figures.element, calendar.element), markets.element);
    this.sections = [curve.element, figures.element, calendar.element, markets.element];
    this.chart = new Chart(curve.body, readout, (from, to) => page.router.set({ last: '', from: Number.isFinite(from) ? from.toFixed(3) : '', to: Number.isFinite(to) ? to.toFixed(3) : '' }));
    this.markets = new PositionList(markets.body, page.model, page.situation, (column, descending) => { this.markets.configure({ column, descending }); this.draw(); });
    this.markets.configure({ column: 'net', descending: true });
    this.computed = -Infinity;
    /** @type {Record<string, string>} */
    this.parameters = {};
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.parameters = parameters;
    this.range.show(parameters);
    this.computed = -Infinity;
  }

  draw() {
    const { page } = this;
    for (const section of this.sections) section.classList.toggle('old', page.isStreamOld());
    if (!page.ready) return;
    const range = rangeOf(this.parameters, page.now());
    this.chart.show(page.chartData(range));
    this.markets.show(page.rows.filter((row) => row.trades > 0 || row.outcome !== null));
    if (performance.now() - this.computed < REFRESH) return;
    this.computed = performance.now();
    this.#compute(range);
  }

  /** @param {{ from: number, to: number }} range */
  #compute({ from, to }) {
    const { page } = this;
    const lots = [...page.model.book.markets.values()].flatMap((market) => market.closedLots().filter((lot) => lot.closed >= from && lot.closed <= to));
    const line = page.line();
    const [start, end] = [firstAtOrAfter(line.times, from), firstAtOrAfter(line.times, to + 1e-6)];
    const part = { times: line.times.slice(start, end), totals: line.totals.slice(start, end) };
    this.#figures(statistics(lots), deepestDrawdown(part));
    this.#days(days(part));
  }

  /**
   * @param {import('./statistics.js').Statistics} found
   * @param {import('./profit_curve.js').Drawdown} fall
   */
  #figures(found, fall) {
    const net = found.grossProfit - found.grossLoss;
    fillList(this.list, [
      ['Net of closed trades', profit(net), tone(net)],
      ['Closed trades', `${count(found.closed)}: ${count(found.wins)} won, ${count(found.losses)} lost`],
      ['Win rate', percent(found.winRate)],
      ['Profit factor', found.profitFactor === null ? '–' : found.profitFactor.toFixed(2)],
      ['Average win', found.averageWin === null ? '–' : profit(found.averageWin)],
      ['Average loss', found.averageLoss === null ? '–' : profit(-found.averageLoss)],
      ['Held on average', found.heldSeconds === null ? '–' : duration(found.heldSeconds)],
      ['Fees of closed trades', money(found.fees)],
      ['Deepest drawdown', money(fall.depth)],
      ['Drawdown dates', fall.depth && fall.start ? range(fall.start, fall.end ?? fall.start) : '–'],
      ['Below the best now', money(fall.now)],
    ]);
  }

  /** @param {import('./statistics.js').Day[]} list */
  #days(list) {
    const key = list.map((day) => day.profit.toFixed(4)).join();
    if (this.calendar.dataset.key === key && this.calendar.childElementCount) return;
    this.calendar.dataset.key = key;
    const most = Math.max(0.01, ...list.map((day) => Math.abs(day.profit)));
    const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
    const head = h('div', { role: 'row', class: 'week' }, ...names.map((name) => h('span', { role: 'columnheader', class: 'minor' }, name)));
    const rows = weeks(list).map((week) => h('div', { role: 'row', class: 'week' }, ...week.map((day) => cell(day, most))));
    this.calendar.replaceChildren(h('div', { role: 'table', 'aria-label': 'Profit of each day', class: 'weeks' }, h('div', { role: 'rowgroup' }, head, ...rows)));
  }
}

/**
 * @param {number} start
 * @param {number} end
 */
function range(start, end) {
  const [from, to] = [shortDay(start), shortDay(end)];
  return from === to ? from : `${from} to ${to}`;
}

/**
 * @param {import('./statistics.js').Day | null} day
 * @param {number} most
 */
function cell(day, most) {
  if (!day) return h('span', { role: 'cell', class: 'day none' });
  const level = day.moves === 0 ? 0 : Math.max(1, Math.ceil((Math.abs(day.profit) / most) * 4));
  const sign = Math.abs(day.profit) < 0.005 ? 'flat' : day.profit > 0 ? 'up' : 'down';
  const element = h('span', { role: 'cell', class: `day ${sign}`, 'data-level': String(level), title: `${shortDay(day.start)}: ${profit(day.profit, exactMoney)} in ${count(day.moves)} moves` },
    h('b', {}, shortDay(day.start)), h('span', { 'data-full': exactMoney(day.profit) }, day.moves ? compactDay(day.profit) : ''));
  return element;
}

/** @param {number} amount */
function compactDay(amount) {
  const size = Math.abs(amount);
  return size >= 1000 ? profit(amount, () => `${amount < 0 ? '\u2212' : ''}$${(size / (size >= 1e6 ? 1e6 : 1e3)).toFixed(1)}${size >= 1e6 ? 'M' : 'K'}`) : profit(amount, size >= 100 ? (value) => compactMoney(Math.round(Number(value))).replace('.00', '') : money);
}

