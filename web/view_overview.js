/** The view Overview: latest trades, the curve of profit and the open positions on one screen. */

import { Chart } from './chart.js';
import { h, setText } from './dom.js';
import { count } from './format.js';
import { RANGES, rangeOf, button } from './panels.js';
import { PositionList } from './position_list.js';
import { address } from './router.js';
import { TradeList } from './trade_list.js';

/** @typedef {import('./dashboard.js').Page} Page */

/**
 * Return a panel with a heading, and the place of its content.
 * @param {string} id
 * @param {string} title
 * @param {(Node | null)[]} tools
 */
export function panel(id, title, ...tools) {
  const body = h('div', { class: 'body' });
  const element = h('section', { class: 'panel', id, 'aria-labelledby': `${id}-title` },
    h('header', {}, h('h2', { id: `${id}-title` }, title), ...tools), body);
  return { element, body };
}

export class OverviewView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.tradeCount = h('span', { class: 'minor' });
    this.positionCount = h('span', { class: 'minor' });
    const readout = h('span', { class: 'readout' });
    this.ranges = h('span', { class: 'choice tools', role: 'group', 'aria-label': 'Period of the curve' },
      ...[...RANGES.map(([name]) => name), 'all'].map((name) => button(name, () => page.router.set({ last: name === 'all' ? '' : name, from: '', to: '' }))));
    const trades = panel('trades', 'Latest trades', this.tradeCount, h('a', { class: 'tools', href: address('trades') }, 'All trades'));
    const equity = panel('equity', 'Profit and loss', readout, this.ranges);
    const positions = panel('positions', 'Open positions', this.positionCount, h('a', { class: 'tools', href: address('positions') }, 'Closed ones too'));
    for (const each of [trades, positions]) each.body.classList.add('table');
    equity.body.classList.add('chart');
    for (const [name, value] of Object.entries({ tabindex: '0', role: 'application', 'aria-label': 'Curve of profit and loss. Arrow keys read points, plus and minus zoom, Escape shows all.' })) equity.body.setAttribute(name, value);
    place.append(h('div', { class: 'split' }, trades.element, h('div', { class: 'stack' }, equity.element, positions.element)));
    this.sections = [trades.element, equity.element, positions.element];
    this.trades = new TradeList(trades.body, page.model, (column, descending) => this.trades.configure(this.trades.selection, { column, descending }));
    this.positions = new PositionList(positions.body, page.model, page.situation, (column, descending) => { this.positions.configure({ column, descending }); this.draw(); });
    this.chart = new Chart(equity.body, readout, (from, to) => page.router.set({ last: '', from: finite(from), to: finite(to) }));
    /** @type {Record<string, string>} */
    this.parameters = {};
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.parameters = parameters;
    const chosen = parameters.last || (parameters.from || parameters.to ? '' : 'all');
    for (const element of this.ranges.children) element.setAttribute('aria-pressed', String(element.textContent === chosen));
  }

  draw() {
    const { page } = this;
    this.trades.update();
    setText(this.tradeCount, page.reading || `${count(page.totals.trades)} in all`);
    const open = page.rows.filter((row) => row.outcome !== null);
    this.positions.show(page.ready ? open : []);
    setText(this.positionCount, page.ready ? `${count(open.length)}${page.totals.unmarked ? `, ${count(page.totals.unmarked)} without a price` : ''}` : page.reading);
    for (const section of this.sections) section.classList.toggle('old', page.isStreamOld());
    if (page.ready) this.chart.show(page.chartData(rangeOf(this.parameters, page.now())));
  }
}

/** @param {number} seconds */
function finite(seconds) {
  return Number.isFinite(seconds) ? seconds.toFixed(3) : '';
}
