/** The dashboard: reads the state, follows the stream, and lets the current view draw. */

import { Account } from './account.js';
import { alertsOf, showAlerts } from './alerts.js';
import { describeBot, isBotDown } from './bot_state.js';
import { clock } from './clock.js';
import { copyFullValues } from './copy.js';
import { byId, listenToPrint, nextFrame, setText } from './dom.js';
import { Figures, drawFigures } from './figures.js';
import { count } from './format.js';
import { showBot, showConnection, showMode, showTab } from './header.js';
import { readAll } from './journal.js';
import { Model } from './model.js';
import { Notifier } from './notifier.js';
import { LATE, Poll } from './poll.js';
import { Book } from './positions.js';
import { ProfitCurve } from './profit_curve.js';
import { get } from './rest.js';
import { Router, VIEWS } from './router.js';
import { parse } from './sequence.js';
import { listenToKeys } from './shortcuts.js';
import { isOld } from './staleness.js';
import { connect } from './stream.js';
import { MarketsView } from './view_markets.js';
import { MoneyView } from './view_money.js';
import { OrdersView } from './view_orders.js';
import { OverviewView } from './view_overview.js';
import { PerformanceView } from './view_performance.js';
import { PositionsView } from './view_positions.js';
import { ServiceView } from './view_service.js';
import { TradesView } from './view_trades.js';

const HEALTH = 1; // seconds between two readings of /health
const HIDDEN_HEALTH = 15; // seconds between them while the tab is hidden: title and icon show it
const HEALTH_LIMIT = 3000; // milliseconds for which it may take
const CHART = 400; // milliseconds between two drawings of charts and sums while trades come
const WITH_FIGURES = new Set(['overview', 'positions', 'performance', 'money', 'trades']);
const PLACES = { overview: OverviewView, trades: TradesView, positions: PositionsView, orders: OrdersView, performance: PerformanceView, money: MoneyView, markets: MarketsView, service: ServiceView };

/** @typedef {{ show: (parameters: Record<string, string>) => void, draw: () => void, hide?: () => void }} ViewOfPage */

/** The page: its state, and what every view needs of it. */
export class Page {
  constructor() {
    this.base = new URL('../', import.meta.url);
    this.model = new Model();
    this.curve = new ProfitCurve();
    this.figures = new Figures(byId('figures'));
    this.notifier = new Notifier((text) => this.announce(text), (ticker) => this.model.names.name(ticker));
    this.account = new Account(this.base, this.model, () => this.draw());
    this.health = new Poll(HEALTH, () => this.#readHealth(), () => this.draw(), { hidden: HIDDEN_HEALTH, late: () => this.draw() });
    this.router = new Router((view, parameters) => this.#showView(view, parameters));
    /** the journal was read to its head */
    this.ready = false;
    /** how far the journal was read, in words; empty when it was */
    this.reading = 'Reading the journal…';
    /** @type {import('./model.js').Row[]} */
    this.rows = [];
    this.totals = Book.totals([]);
    this.downSince = 0;
    /** the server's time when the entries were confirmed last; 0 before */
    this.confirmed = 0;
    /** @type {number | null} since when the exchange is seen failing, by the server's clock */
    this.exchangeFailed = null;
    this.problems = { loadError: /** @type {string | null} */ (null), missing: /** @type {string | null} */ (null), full: false, reset: false };
    /** @type {Partial<Record<string, ViewOfPage>>} */
    this.views = {};
    this.computed = -Infinity;
    this.timer = 0;
    this.later = 0;
    /** @type {import('./profit_curve.js').Drawdown | null} */
    this.drawdown = null;
    this.stream = connect({ base: this.base, load: () => this.#load() });
    this.#listen();
  }

  /** Return the server's time. */
  now = () => clock.now();

  /** Return the situation that decides what looks old. */
  situation = () => {
    const { model, stream } = this;
    const fresh = stream.freshness;
    const exchangeWorks = model.health?.parts.kalshi ? model.health.parts.kalshi.state === 'ok' && model.health.parts.kalshi.keys !== false : true;
    const botWorks = model.status?.status === 'online';
    const now = clock.now();
    const { late } = this.account.poll;
    const exchangeFailed = this.exchangeFailed ?? (late ? now - late : null);
    return { now, connected: this.connected, complete: fresh.complete, blind: model.health !== null && !botWorks && !exchangeWorks, exchangeFailed };
  };

  /** The stream is open and the server answers. */
  get connected() {
    return this.stream.freshness.state === 'live' && !(this.health.late && this.stream.received * 1000 < Date.now() - LATE);
  }

  /** Return true if what follows from the entries is not confirmed at this moment. */
  isStreamOld() {
    const { connected, complete, blind } = this.situation();
    return this.ready && (!connected || !complete || blind);
  }

  line() {
    return this.curve.of(this.model.book);
  }

  /**
   * Return what a chart draws of a range.
   * @param {{ from: number, to: number }} range
   * @returns {import('./chart.js').Data}
   */
  chartData({ from, to }) {
    const { store } = this.model;
    const settlements = [...store.others.values()].filter((entry) => 'result' in entry).map((entry) => entry.timestamp).sort((a, b) => a - b);
    const line = this.line();
    const open = this.totals.open && this.totals.net !== null ? Number(this.totals.net) : null;
    const situation = this.situation();
    const mark = this.model.oldestMark(this.rows, situation);
    if (!this.isStreamOld()) this.confirmed = situation.now; // an old curve ends where it was confirmed last
    return { line, from, to, now: this.confirmed || situation.now, open, openOld: mark !== null && isOld(mark, situation), trades: line.times, settlements };
  }

  /**
   * Speak to screen readers, and show the text for a moment.
   * @param {string} text
   */
  announce(text) {
    setText(byId('announcer'), text);
    byId('announcer').classList.add('shown');
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => byId('announcer').classList.remove('shown'), 5000);
  }

  /** Draw with the next frame. A hidden tab has no frames: it shows its state in title and icon at once. */
  draw() {
    this.notifier.watchServer(this.ready && !this.connected);
    if (document.hidden) this.#drawTab();
    else nextFrame(this.paint);
  }

  #drawTab() {
    showTab({ status: this.model.status, connected: this.connected, ready: this.ready, unseen: this.notifier.unseen });
  }

  paint = () => {
    const { model, stream } = this;
    const fresh = stream.freshness;
    const { connected } = this;
    if (connected) this.downSince = 0;
    else this.downSince ||= performance.now();
    showConnection(fresh, connected, this.ready ? '' : this.reading);
    showBot(model.status, connected, clock.now());
    showMode(model.mode);
    this.#drawTab();
    if (fresh.complete) this.problems.full = false;
    showAlerts(alertsOf({
      connected, down: this.downSince ? (performance.now() - this.downSince) / 1000 : 0, health: model.health, bot: model.status, accountError: model.accountError,
      refused: model.refused, ...this.problems, loadError: this.ready ? null : this.problems.loadError,
    }));
    this.#compute();
    byId('figures').hidden = !WITH_FIGURES.has(this.router.view);
    drawFigures(this.figures, this, this.situation());
    this.views[this.router.view]?.draw();
  };

  start() {
    this.router.read();
    this.account.start();
    this.health.start();
    listenToKeys(this.router);
    copyFullValues();
    listenToPrint();
    window.setInterval(() => this.draw(), 1000); // ages and the right edge of charts move on without news
    document.addEventListener('visibilitychange', () => this.draw());
    /** @type {HTMLAnchorElement} */ (byId('docs')).href = new URL('docs', this.base).href;
  }

  /** Read the journal to its head and return where that is: the stream goes on from there. */
  async #load() {
    const { model } = this;
    [this.ready, this.reading] = [false, 'Reading the journal…'];
    model.clear();
    const newest = await get(new URL('portfolio/trades/live?limit=100', this.base));
    const epoch = parse(newest.cursor)?.epoch;
    if (!epoch) throw new Error('The server gave no cursor.');
    model.begin(newest.trades);
    this.draw();
    let at = /** @type {import('./types').Cursor} */ ({ epoch, seq: 0 });
    for await (const page of readAll(this.base, at)) {
      for (const entry of page.entries) model.add(entry);
      model.book.settle(); // page by page, so that a long journal does not hold the page still
      at = page.at;
      this.reading = `Reading the journal: ${count(at.seq)} of ${count(page.total)}`;
      this.draw();
    }
    [this.ready, this.reading, this.computed, model.preview] = [true, '', -Infinity, null];
    Object.assign(this.problems, { loadError: null, reset: false, missing: null });
    this.account.soon(0.5);
    this.draw();
    return `${at.epoch}-${at.seq}${at.check ? `-${at.check}` : ''}`;
  }

  #listen() {
    const { stream, model } = this;
    stream.on('entry', (entry) => { model.add(entry); this.draw(); });
    stream.on('trades', ({ trades }) => { this.notifier.add(trades); this.account.soon(1.5); });
    for (const name of /** @type {const} */ (['settlement', 'correction', 'transfer'])) stream.on(name, () => this.account.soon(1.5));
    stream.on('gap', (gap) => this.notifier.notify('gap', `Trades may be missing: ${gap.why}`));
    stream.on('heartbeat', ({ timestamp }) => clock.observe(timestamp));
    stream.on('status', (status) => this.#takeStatus(status));
    stream.on('freshness', () => this.draw());
    stream.on('reset', () => { this.problems.reset = true; this.draw(); });
    stream.on('error', ({ reason, message }) => {
      if (reason === 'missing') this.problems.missing = message;
      if (reason === 'full') this.problems.full = true;
      if (reason === 'load') this.problems.loadError = message;
      this.draw();
    });
  }

  /** @param {import('./types').BotStatus} status */
  #takeStatus(status) {
    const before = this.model.status;
    this.model.status = status;
    const { text, reason } = describeBot(status, true, clock.now());
    const changed = before && (before.status !== status.status || before.activity !== status.activity);
    if (changed) this.notifier.notify('bot', `${text}${reason ? `: ${reason}` : ''}`);
    else if (!before && isBotDown(status)) this.announce(text);
    this.health.soon(0.2);
    this.draw();
  }

  async #readHealth() {
    const health = await get(new URL('health', this.base), HEALTH_LIMIT);
    if (this.stream.freshness.state !== 'live' || clock.observed.length === 0) clock.observe(health.as_of);
    this.model.health = health;
    const { kalshi } = health.parts;
    // A call that failed and is tried again counts at once: what was read before it is not confirmed now.
    const fails = kalshi !== undefined && (!['ok', 'idle', 'starting'].includes(kalshi.state) || kalshi.failed_in_a_row > 0);
    if (fails !== (this.exchangeFailed !== null)) this.account.soon(0.2); // what it can confirm now
    this.exchangeFailed = fails ? this.exchangeFailed ?? clock.now() : null;
    this.draw();
  }

  /** Compute rows and sums, at most a few times a second. */
  #compute() {
    if (!this.ready) return;
    if (performance.now() - this.computed < CHART) {
      this.later ||= window.setTimeout(() => { this.later = 0; this.draw(); }, CHART);
      return;
    }
    this.computed = performance.now();
    ({ rows: this.rows, totals: this.totals } = this.model.positions());
    this.line();
    this.drawdown = this.curve.drawdown;
  }

  /**
   * @param {import('./router.js').View} view
   * @param {Record<string, string>} parameters
   */
  #showView(view, parameters) {
    for (const name of VIEWS) {
      const place = byId(`view-${name}`);
      if (name !== view && !place.hidden) this.views[name]?.hide?.();
      place.hidden = name !== view;
      const link = byId(`link-${name}`);
      if (name === view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      // On a narrow screen the tabs scroll; scrollIntoView would move the page too.
      if (name === view && link.parentElement) link.parentElement.scrollLeft = link.offsetLeft - (link.parentElement.clientWidth - link.offsetWidth) / 2;
    }
    this.views[view] ??= new PLACES[view](this, byId(`view-${view}`));
    this.views[view]?.show(parameters);
    this.draw();
  }
}

new Page().start();
