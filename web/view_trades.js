/** The view Trades: every entry of the journal, filtered by market and time, sorted by any column, exported. */

import { h, setText } from './dom.js';
import { count } from './format.js';
import { download, exportCsv } from './export.js';
import { RangeControls, button, rangeOf, sortOf } from './panels.js';
import { TradeList } from './trade_list.js';

/** @typedef {import('./dashboard.js').Page} Page */

const NEWEST = { column: 'seq', descending: true };

export class TradesView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.search = h('input', { type: 'search', placeholder: 'Ticker or words of a title', 'aria-label': 'Filter by market', autocomplete: 'off', spellcheck: 'false' });
    this.search.addEventListener('input', () => page.router.set({ ticker: this.search.value.trim() }));
    this.summary = h('span', { class: 'minor', role: 'status' });
    this.exporting = button('Export CSV', () => void this.#export());
    const filters = h('div', { class: 'filters' }, this.search);
    this.range = new RangeControls(filters, (parameters) => page.router.set(parameters));
    filters.append(this.exporting, this.summary);
    const table = h('div', { class: 'table tall' });
    place.append(filters, table);
    this.list = new TradeList(table, page.model, (column, descending) => page.router.set({ sort: `${descending ? '-' : ''}${column}` }));
    /** @type {Record<string, string>} */
    this.parameters = {};
    this.tickerCount = -1;
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.parameters = parameters;
    if (this.search !== document.activeElement) this.search.value = parameters.ticker ?? '';
    this.range.show(parameters);
    this.#configure();
  }

  draw() {
    // A search over words has to be repeated when there are new markets or names.
    const known = this.page.model.names.revision + this.page.model.ownTrades.size;
    if (this.parameters.ticker && known !== this.tickerCount) this.#configure();
    else this.list.update();
    const all = this.page.model.store.length;
    const shown = this.list.length === all ? `${count(all)} entries` : `${count(this.list.length)} of ${count(all)} entries`;
    setText(this.summary, this.page.reading || shown);
  }

  #configure() {
    const { model, now } = this.page;
    this.tickerCount = model.names.revision + model.ownTrades.size;
    const tickers = matchingTickers(model, this.parameters.ticker ?? '');
    this.list.configure({ ...rangeOf(this.parameters, now()), tickers: tickers && new Set(tickers) }, sortOf(this.parameters.sort, NEWEST));
  }

  async #export() {
    const { model, base, now } = this.page;
    this.exporting.disabled = true;
    try {
      const wanted = { ...rangeOf(this.parameters, now()), tickers: matchingTickers(model, this.parameters.ticker ?? ''), mode: model.mode };
      const { text, rows } = await exportCsv(base, wanted);
      download(`trades-${new Date(now() * 1000).toISOString().slice(0, 10)}.csv`, text);
      this.page.announce(`Exported ${count(rows)} entries.`);
    } catch (error) {
      this.page.announce(`The export failed: ${/** @type {Error} */ (error).message}`);
    } finally {
      this.exporting.disabled = false;
    }
  }
}

/**
 * Return the tickers that a search means, null for all: that ticker itself, else all whose names hold every word.
 * @param {import('./model.js').Model} model
 * @param {string} text
 */
export function matchingTickers(model, text) {
  if (!text.trim()) return null;
  const tickers = model.shownStore.tickers();
  if (tickers.includes(text.toUpperCase())) return [text.toUpperCase()];
  return tickers.filter(model.names.matcher(text));
}
