/** Repeated reading at an interval, while the tab is visible and no faster than the server allows. */

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
    this.due = Infinity;
    this.last = -Infinity;
    this.running = false;
    this.paused = true;
    document.addEventListener('visibilitychange', () => { if (!document.hidden && !this.paused) this.soon(0); });
  }

  /** Read now and then at the interval; does nothing when it does so already. */
  start() {
    if (!this.paused) return;
    this.paused = false;
    this.soon(Math.max(0, this.seconds - (performance.now() - this.last) / 1000));
  }

  stop() {
    this.paused = true;
    window.clearTimeout(this.timer);
    this.timer = 0;
  }

  /**
   * Read in so many seconds, unless it is due sooner.
   * @param {number} seconds
   */
  soon(seconds) {
    const due = performance.now() + seconds * 1000;
    if (this.paused || (this.timer && this.due <= due)) return;
    window.clearTimeout(this.timer);
    this.due = due;
    this.timer = window.setTimeout(() => { this.timer = 0; void this.#run(); }, seconds * 1000);
  }

  async #run() {
    if (this.running) return this.soon(0.5);
    if (document.hidden) return; // read when the tab is visible again
    this.running = true;
    try {
      await this.read();
      this.backoff.reset();
      this.soon(this.seconds);
    } catch (error) {
      this.failed(/** @type {Error} */ (error));
      this.soon(Math.max(this.backoff.next('error'), /** @type {any} */ (error).retry ?? 0));
    } finally {
      this.running = false;
      this.last = performance.now();
    }
  }
}
