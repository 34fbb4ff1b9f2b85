/** One connection for all tabs of a browser: the tab that holds the lock leads and relays, the others listen. */

/**
 * @typedef {object} Member
 * @property {() => void} lead open the connection: you are the leader now
 * @property {() => void} follow close it: another tab leads
 * @property {(word: any) => void} hear another tab said something
 */

export class Tabs {
  /**
   * @param {string} name the same in every tab that shares the connection
   * @param {Member} member
   */
  constructor(name, member) {
    this.name = name;
    this.member = member;
    this.leading = false;
    this.closed = false;
    this.alone = !('locks' in navigator) || !('BroadcastChannel' in window);
    /** @type {BroadcastChannel | null} */
    this.channel = null;
    /** @type {() => void} gives the lock back */
    this.release = () => {};
    this.waiting = new AbortController();
  }

  join() {
    if (this.alone) return this.#lead();
    this.closed = false;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = (event) => this.member.hear(event.data);
    this.#queue();
    return undefined;
  }

  /** Give back lock and channel; the next tab in the queue leads at once. */
  leave() {
    this.closed = true;
    this.waiting.abort();
    this.release();
    this.channel?.close();
    this.channel = null;
    this.leading = false;
  }

  /**
   * Tell the other tabs.
   * @param {unknown} word
   */
  say(word) {
    this.channel?.postMessage(word);
  }

  /** The leader has been silent too long (its page hangs): take the lock from it. */
  steal() {
    if (this.alone || this.closed || this.leading) return;
    this.waiting.abort();
    this.#queue(true);
  }

  /** @param {boolean} steal */
  #queue(steal = false) {
    this.waiting = new AbortController();
    const options = steal ? { steal } : { signal: this.waiting.signal };
    navigator.locks.request(this.name, options, () => this.#hold()).catch((error) => this.#lost(error));
  }

  #hold() {
    if (this.closed) return undefined;
    this.#lead();
    return new Promise((resolve) => { this.release = () => resolve(undefined); });
  }

  #lead() {
    this.leading = true;
    this.member.lead();
  }

  /** @param {DOMException} error */
  #lost(error) {
    if (error.name !== 'AbortError') throw error;
    if (!this.leading || this.closed) return; // we left the queue ourselves
    this.leading = false;
    this.member.follow();
    this.#queue();
  }
}
