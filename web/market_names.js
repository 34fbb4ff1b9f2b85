/** Names of markets: the outcome's own words first, the event after it; strikes of one event always differ. */

/** @typedef {{ ticker: string, title?: string | null, yes_title?: string | null, event_ticker?: string | null }} Titled */
/** @typedef {{ lead: string, event: string, code: string }} Name lead: the outcome; code: the shortest form of the ticker that is unique */

export class MarketNames {
  constructor() {
    /** @type {Map<string, { outcome: string, title: string, event: string }>} */
    this.known = new Map();
    /** @type {Map<string, Set<string>>} tickers that share an outcome's words within an event */
    this.sharing = new Map();
    /** @type {Map<string, Set<string>>} tickers by each of their short forms */
    this.shortened = new Map();
    /** grows when a name changes */
    this.revision = 0;
  }

  /** @param {string} ticker */
  has(ticker) {
    return Boolean(this.known.get(ticker)?.outcome);
  }

  /**
   * Take the titles of a market; what is empty keeps what was known.
   * @param {Titled} market
   */
  add({ ticker, title, yes_title: outcome, event_ticker: event }) {
    const before = this.known.get(ticker);
    const now = { outcome: oneLine(outcome) || before?.outcome || '', title: oneLine(title) || before?.title || '', event: event || before?.event || eventOf(ticker) };
    if (before && before.outcome === now.outcome && before.title === now.title) return;
    if (before) this.sharing.get(`${before.event}|${before.outcome}`)?.delete(ticker);
    this.known.set(ticker, now);
    const key = `${now.event}|${now.outcome}`;
    this.sharing.set(key, (this.sharing.get(key) ?? new Set()).add(ticker));
    this.revision += 1;
  }

  /**
   * Return the name of a market; made of its ticker while nothing else is known.
   * @param {string} ticker
   * @returns {Name}
   */
  name(ticker) {
    const known = this.known.get(ticker);
    const [strike, code] = [strikeOf(ticker), this.code(ticker)];
    if (!known || (!known.outcome && !known.title)) return { lead: strike || ticker, event: '', code };
    if (!known.outcome || known.outcome === known.title) return { lead: strike || ticker, event: known.title, code };
    const shared = (this.sharing.get(`${known.event}|${known.outcome}`)?.size ?? 0) > 1;
    return { lead: shared && strike ? `${known.outcome} · ${strike}` : known.outcome, event: known.title, code };
  }

  /**
   * Return the shortest form of a ticker that no other ticker seen so far has.
   * @param {string} ticker
   */
  code(ticker) {
    const forms = shortForms(ticker);
    for (const form of forms) this.shortened.set(form, (this.shortened.get(form) ?? new Set()).add(ticker));
    return forms.find((form) => this.shortened.get(form)?.size === 1) ?? ticker;
  }

  /**
   * Return everything that a search may match, in lower case.
   * @param {string} ticker
   */
  searchText(ticker) {
    const known = this.known.get(ticker);
    return `${ticker} ${known?.outcome ?? ''} ${known?.title ?? ''}`.toLowerCase();
  }

  /**
   * Return a test of tickers: true where a search may match every word of the text.
   * @param {string} text
   * @returns {(ticker: string) => boolean}
   */
  matcher(text) {
    const words = text.toLowerCase().trim().split(/\s+/);
    return (ticker) => { const known = this.searchText(ticker); return words.every((word) => known.includes(word)); };
  }
}

/** @param {string} ticker */
export function eventOf(ticker) {
  const dash = ticker.lastIndexOf('-');
  return dash > 0 ? ticker.slice(0, dash) : ticker;
}

/** @param {string} ticker */
export function strikeOf(ticker) {
  const dash = ticker.lastIndexOf('-');
  return dash > 0 ? ticker.slice(dash + 1) : '';
}

/**
 * Return the candidates for a short form of a ticker, the shortest first: date and strike; with the end of the series; whole.
 * @param {string} ticker
 */
function shortForms(ticker) {
  const dash = ticker.indexOf('-');
  if (dash <= 0 || dash === ticker.length - 1) return [ticker];
  return [ticker.slice(dash + 1), dash > 5 ? `…${ticker.slice(dash - 4)}` : ticker, ticker];
}

/**
 * Return a text in one line. Marks that change the direction of what follows are left out: they would reorder the numbers beside it.
 * @param {string | null | undefined} text
 */
function oneLine(text) {
  return (text ?? '').replace(/[\u202a-\u202e\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim();
}
