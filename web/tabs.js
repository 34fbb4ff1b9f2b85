/** One connection for all tabs of a browser: the tab that holds the Web Lock leads, the others receive from it. */

/**
 * @typedef {object} Member
 * @property {() => void} lead this tab leads now: open the connection
 * @property {() => void} follow another tab leads: close the connection
 * @property {(message: any) => void} receive a message of another tab
 */

export class TabGroup {
  /**
   * @param {string} name the same in every tab that shares the connection
   * @param {Member} member
   */
  constructor(name, member) {
    this.name = name;
    this.member = member;
    this.leading = false;
    this.closed = false;
    /** The browser lacks locks or channels: each tab has a connection of its own. */
    this.alone = !('locks' in navigator) || !('BroadcastChannel' in window);
    /** @type {BroadcastChannel | null} */
    this.channel = null;
    /** @type {() => void} gives the lock back */
    this.release = () => {};
    this.waiting = new AbortController();
  }

  join() {
    this.closed = false;
    if (this.alone) return this.#lead();
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = (event) => this.member.receive(event.data);
    this.#request();
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
   * Send to the other tabs.
   * @param {unknown} message
   */
  send(message) {
    this.channel?.postMessage(message);
  }

  /** Take the lock from a leader whose page hangs. */
  steal() {
    if (this.alone || this.closed || this.leading) return;
    this.waiting.abort();
    this.#request(true);
  }

  /** @param {boolean} steal */
  #request(steal = false) {
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
    if (!this.leading || this.closed) return; // this tab left the queue itself
    this.leading = false;
    this.member.follow();
    this.#request();
  }
}
