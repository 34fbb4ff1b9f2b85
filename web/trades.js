/** The table of trades: the newest on top, at most so many rows, filtered by ticker and period, older ones on demand. */

import { csv, download } from './csv.js';
import { at, empty, h, one, say, soon } from './dom.js';
import { Filter, PERIODS } from './filter.js';
import { plain } from './format.js';
import { HEADS, row } from './row.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {(before: number, filter: Filter) => Promise<{ entries: Entry[], more: boolean }>} Older reads entries before a seq, newest first */

const ROWS = 100; // a page of rows; the table never holds more than has been asked for

export class Trades {
  /**
   * @param {import('./model.js').Model} model
   * @param {Older} older
   * @param {() => void} changed the filter has changed
   */
  constructor(model, older, changed) {
    this.model = model;
    this.older = older;
    this.changed = changed;
    this.filter = new Filter();
    this.room = ROWS;
    /** @type {Entry[]} read from the journal because somebody asked, newest first; all older than the model's */
    this.past = [];
    /** @type {Entry[]} the newest ones, newest first, while the journal is still being read */
    this.ahead = [];
    this.more = true;
    this.place = one('#trades .table');
    this.body = h('tbody');
    this.table = h('table', {}, h('caption', { class: 'unseen' }, 'Trades, newest first'),
      h('thead', {}, h('tr', {}, ...HEADS.map(([text, kind]) => h('th', { scope: 'col', class: kind || undefined }, text)))), this.body);
    /** @type {Entry[]} what came since the last frame */
    this.fresh = [];
    this.drawn = false;
    this.body.addEventListener('animationend', (event) => /** @type {Element} */ (event.target).closest('tr')?.classList.remove('new'));
    this.#controls();
  }

  /** @param {Entry} entry one that has just been added to the model */
  add(entry) {
    if (this.fresh.length < this.room) this.fresh.push(entry); // a hidden tab draws nothing for hours: then all is drawn anew
    soon(this.paint);
  }

  /** @param {Entry[]} newest shown instead of the model's, which are still being read; none when they have been */
  preview(newest) {
    this.ahead = newest;
    this.model.hint = newest.find((entry) => 'mode' in entry)?.mode ?? null;
    this.refresh();
  }

  /** Everything anew: the filter, a mode, titles or the past have changed. */
  refresh() {
    this.drawn = false;
    soon(this.paint);
  }

  paint = () => {
    const fresh = this.fresh;
    this.fresh = [];
    if (this.drawn && this.table.isConnected && fresh.length < this.room) this.#grow(fresh.filter((entry) => this.#takes(entry)));
    else this.#draw();
  };

  /** @param {Entry} entry */
  #takes(entry) {
    return this.filter.takes(entry, this.model.mode, Date.now() / 1000, (ticker) => this.model.titles.get(ticker));
  }

  /** @param {Entry[]} fresh */
  #grow(fresh) {
    const rows = fresh.map((entry) => row(entry, this.model.titles));
    if (rows.length <= 3) for (const element of rows) element.classList.add('new'); // in a burst all would glow, and nothing be told by it
    this.body.prepend(...rows.reverse());
    while (this.body.childElementCount > this.room) this.body.lastElementChild?.remove();
    this.#note();
  }

  /** What is to be shown, newest first. */
  wanted() {
    if (this.ahead.length) return this.ahead.filter((entry) => this.#takes(entry));
    const now = [];
    for (let index = this.model.recent.length - 1; index >= 0; index -= 1) now.push(this.model.recent[index]);
    return [...now, ...this.past].filter((entry) => this.#takes(entry));
  }

  #draw() {
    const wanted = this.wanted().slice(0, this.room);
    this.drawn = true;
    if (wanted.length === 0) {
      const [title, hint] = this.filter.isOpen ? ['No trades yet', 'They appear here the moment the bot makes them.'] : ['Nothing matches', 'Choose a longer period, another ticker, or read older ones.'];
      this.place.replaceChildren(empty(title, hint));
    } else {
      this.body.replaceChildren(...wanted.map((entry) => row(entry, this.model.titles)));
      if (!this.table.isConnected) this.place.replaceChildren(this.table);
    }
    this.#note();
  }

  #note() {
    const rows = this.body.childElementCount;
    say(at('trades-note'), this.table.isConnected ? `${plain(rows)} shown${this.more ? '' : ', back to the beginning'}` : '');
    at('older').toggleAttribute('disabled', !this.more && rows < this.room);
  }

  #controls() {
    const period = at('period');
    for (const [name, seconds] of PERIODS) {
      const button = h('button', { type: 'button', 'aria-pressed': String(seconds === Infinity) }, name);
      button.addEventListener('click', () => {
        for (const each of period.children) each.setAttribute('aria-pressed', String(each === button));
        this.filter.seconds = seconds;
        this.#filtered();
      });
      period.append(button);
    }
    at('ticker').addEventListener('input', (event) => {
      this.filter.text = /** @type {HTMLInputElement} */ (event.target).value.trim();
      this.#filtered();
    });
    at('older').addEventListener('click', () => void this.#older());
    at('export').addEventListener('click', () => download(`trades-${new Date().toISOString().slice(0, 10)}.csv`, csv(this.wanted())));
  }

  #filtered() {
    [this.room, this.past, this.more] = [ROWS, [], true];
    this.refresh();
    this.changed();
  }

  async #older() {
    this.room += ROWS;
    const held = this.wanted();
    const button = /** @type {HTMLButtonElement} */ (at('older'));
    if (held.length < this.room && this.more) {
      button.disabled = true;
      const last = this.past[this.past.length - 1] ?? this.model.recent[0];
      try {
        const page = await this.older(last ? last.seq : 1, this.filter);
        this.past.push(...page.entries);
        this.more = page.more;
      } catch (error) {
        say(at('trades-note'), /** @type {Error} */ (error).message);
        return;
      } finally {
        button.disabled = false;
      }
    }
    this.refresh();
  }
}
