/** The view Positions: open and closed ones with their profit. */

import { h, setText } from './dom.js';
import { count } from './format.js';
import { button, sortOf } from './panels.js';
import { PositionList } from './position_list.js';

/** @typedef {import('./dashboard.js').Page} Page */

const SHOWN = /** @type {const} */ (['open', 'closed', 'all']);

export class PositionsView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.search = h('input', { type: 'search', placeholder: 'Ticker or words of a title', 'aria-label': 'Filter by market', autocomplete: 'off', spellcheck: 'false' });
    this.search.addEventListener('input', () => page.router.set({ ticker: this.search.value.trim() }));
    this.choice = h('div', { class: 'choice', role: 'group', 'aria-label': 'Which positions' }, ...SHOWN.map((name) => button(name, () => page.router.set({ show: name === 'open' ? '' : name }))));
    this.summary = h('span', { class: 'minor', role: 'status' });
    this.table = h('div', { class: 'table tall' });
    place.append(h('div', { class: 'filters' }, this.search, this.choice, this.summary), this.table);
    this.list = new PositionList(this.table, page.model, page.situation, (column, descending) => page.router.set({ sort: `${descending ? '-' : ''}${column}` }));
    /** @type {Record<string, string>} */
    this.parameters = {};
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.parameters = parameters;
    const shown = shownOf(parameters);
    for (const element of this.choice.children) element.setAttribute('aria-pressed', String(element.textContent === shown));
    if (this.search !== document.activeElement) this.search.value = parameters.ticker ?? '';
    this.list.configure(sortOf(parameters.sort, { column: 'value', descending: true }));
  }

  draw() {
    const { page } = this;
    const matches = page.model.names.matcher(this.parameters.ticker ?? '');
    const shown = shownOf(this.parameters);
    const rows = page.rows.filter((row) => (shown === 'all' || (shown === 'open') === (row.outcome !== null)) && (row.outcome !== null || row.trades > 0)
      && matches(row.ticker));
    this.list.show(page.ready ? rows : []);
    setText(this.summary, page.ready ? `${count(rows.length)} of ${count(page.rows.length)} markets` : page.reading);
    this.table.classList.toggle('old', page.isStreamOld());
  }
}

/** @param {Record<string, string>} parameters */
function shownOf({ show }) {
  return SHOWN.find((each) => each === show) ?? 'open';
}
