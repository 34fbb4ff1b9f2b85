/** Asking again and again, but only while somebody looks, and not faster than the server wants. */

import { Backoff } from './backoff.js';

export class Poll {
  /**
   * @param {number} seconds between two answers
   * @param {() => Promise<void>} read
   * @param {(error: Error) => void} failed
   */
  constructor(seconds, read, failed) {
    this.seconds = seconds;
    this.read = read;
    this.failed = failed;
    this.backoff = new Backoff();
    this.timer = 0;
    this.last = -Infinity;
    this.running = false;
    document.addEventListener('visibilitychange', () => { if (!document.hidden && performance.now() - this.last > seconds * 1000) this.in(0); });
  }

  /**
   * Ask in so many seconds, if not sooner already.
   * @param {number} seconds
   */
  in(seconds) {
    const due = performance.now() + seconds * 1000;
    if (this.timer && this.due !== undefined && this.due <= due) return;
    window.clearTimeout(this.timer);
    this.due = due;
    this.timer = window.setTimeout(() => { this.timer = 0; void this.#ask(); }, seconds * 1000);
  }

  async #ask() {
    if (this.running) return this.in(0.5);
    if (document.hidden) return; // asked when it is seen again
    this.running = true;
    try {
      await this.read();
      this.backoff.reset();
      this.in(this.seconds);
    } catch (error) {
      this.failed(/** @type {Error} */ (error));
      this.in(Math.max(this.backoff.next('error'), /** @type {any} */ (error).retry ?? 0));
    } finally {
      this.running = false;
      this.last = performance.now();
    }
  }
}
