/** A browser for tests: time that a test moves, EventSource, BroadcastChannel, Web Locks and a service, all scripted. */

export const EPOCH = 'abcd1234';
const WALL = 1_700_000_000_000;

/** Let everything that waits for resolved promises run. */
export const turn = () => new Promise((resolve) => { setImmediate(resolve); });

/** One message source of the page, driven by the test. */
class ScriptedEventSource {
  constructor(url) {
    this.url = url;
    this.listeners = new Map();
    this.closed = false;
    browser.sources.push(this);
  }

  addEventListener(name, listener) { this.listeners.set(name, listener); }

  close() { this.closed = true; }

  get cursor() { return new URL(this.url).searchParams.get('last_event_id'); }

  open() { this.onopen?.(); }

  fail() { this.onerror?.(); }

  /** Deliver an event, unless the page has closed the connection. */
  send(name, data, id = '') {
    if (!this.closed) this.listeners.get(name)?.({ data: typeof data === 'string' ? data : JSON.stringify(data), lastEventId: id });
  }
}

/** Tabs of one browser: each message reaches every other open channel of that name in a later turn. */
class ScriptedChannel {
  constructor(name) {
    this.name = name;
    browser.channels.add(this);
  }

  postMessage(message) {
    const copy = structuredClone(message);
    for (const other of browser.channels) {
      if (other !== this && other.name === this.name) queueMicrotask(() => { if (browser.channels.has(other)) other.onmessage?.({ data: copy }); });
    }
  }

  close() { browser.channels.delete(this); }
}

/** Web Locks: one holder, a queue, and stealing. */
class ScriptedLocks {
  constructor() {
    this.holder = null;
    this.queue = [];
  }

  request(name, { signal, steal }, callback) {
    return new Promise((resolve, reject) => {
      const entry = { callback, resolve, reject };
      if (steal && this.holder) {
        this.holder.reject(new DOMException('stolen', 'AbortError'));
        this.holder = null;
        this.queue.unshift(entry);
      } else this.queue.push(entry);
      signal?.addEventListener('abort', () => {
        if (!this.queue.includes(entry)) return;
        this.queue.splice(this.queue.indexOf(entry), 1);
        reject(new DOMException('aborted', 'AbortError'));
      });
      this.#grant();
    });
  }

  #grant() {
    if (this.holder || this.queue.length === 0) return;
    const entry = this.queue.shift();
    this.holder = entry;
    queueMicrotask(() => {
      Promise.resolve(entry.callback()).then(() => {
        if (this.holder !== entry) return;
        this.holder = null;
        entry.resolve();
        this.#grant();
      });
    });
  }
}

class ScriptedBrowser {
  constructor() {
    this.time = 1000; // as in a browser, where a page is never at zero
    this.slept = 0;
    this.timers = new Map();
    this.numbers = 0;
    this.sources = [];
    this.channels = new Set();
    this.locks = new ScriptedLocks();
    this.window = new EventTarget();
    this.document = Object.assign(new EventTarget(), { visibilityState: 'visible', hidden: false });
    /** entries of the service's journal, and requests that it received */
    this.journal = [];
    this.epoch = EPOCH;
    this.requests = [];
    /** what the service answers instead: a function of the URL that returns undefined for the usual answer */
    this.instead = () => undefined;
    this.errors = [];
  }

  /** Move time forward, timer by timer. */
  async advance(milliseconds) {
    const end = this.time + milliseconds;
    await turn();
    for (;;) {
      const [id, next] = [...this.timers].filter(([, timer]) => timer.due <= end).sort((a, b) => a[1].due - b[1].due)[0] ?? [];
      if (!next) break;
      this.time = Math.max(this.time, next.due);
      if (next.every) next.due += next.every;
      else this.timers.delete(id);
      next.callback();
      await turn();
    }
    this.time = end;
    await turn();
  }

  /** The connection that is in use; undefined when none is. */
  get source() { return this.sources.filter((source) => !source.closed).at(-1); }

  cursor(seq = this.journal.length) { return `${this.epoch}-${seq}`; }

  /** Append trades to the journal without sending them. */
  append(count = 1, fields = {}) {
    for (let at = 0; at < count; at += 1) {
      const seq = this.journal.length + 1;
      this.journal.push({ seq, trade_id: `t${seq}`, timestamp: seq, ticker: 'A', side: 'BUY', outcome: 'yes', quantity: 1, price: 0.5, mode: 'live', source: 'bot_live', ...fields });
    }
    return this.journal.at(-1);
  }

  /** Append a trade and send it over the open connection. */
  trade() {
    const entry = this.append();
    this.source.send('new_trades', { trades: [entry], count: 1, source: 'bot_live' }, this.cursor());
    return entry;
  }

  heartbeat(head = this.cursor()) { this.source.send('heartbeat', { timestamp: this.wall / 1000, head }, head ?? ''); }

  get wall() { return WALL + this.time + this.slept; }

  async answer(url) {
    this.requests.push(url);
    const scripted = this.instead(url);
    if (scripted instanceof Error) throw scripted;
    if (scripted) return new Response(JSON.stringify(scripted.body ?? scripted), { status: scripted.status ?? 200 });
    const after = Number(url.searchParams.get('after')?.split('-')[1] ?? 0);
    const entries = this.journal.filter(({ seq }) => seq > after);
    return Response.json({ entries, trades: [...this.journal].reverse(), cursor: this.cursor() });
  }
}

/** @type {ScriptedBrowser} */
export let browser = new ScriptedBrowser();

const setTimer = (callback, milliseconds, every) => {
  browser.timers.set(browser.numbers += 1, { callback, due: browser.time + milliseconds, every });
  return browser.numbers;
};

/** Begin a test with a new browser in the place of the old one. */
export function newBrowser() {
  browser = new ScriptedBrowser();
  Object.assign(browser.window, {
    setTimeout: (callback, milliseconds = 0) => setTimer(callback, milliseconds, 0),
    setInterval: (callback, milliseconds) => setTimer(callback, milliseconds, milliseconds),
    clearTimeout: (id) => browser.timers.delete(id),
    clearInterval: (id) => browser.timers.delete(id),
    BroadcastChannel: ScriptedChannel,
  });
  const globals = {
    window: browser.window, document: browser.document, navigator: { locks: browser.locks }, EventSource: ScriptedEventSource,
    BroadcastChannel: ScriptedChannel, fetch: (url) => browser.answer(new URL(url)), reportError: (error) => browser.errors.push(error),
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  performance.now = () => browser.time;
  Date.now = () => browser.wall;
  return browser;
}
