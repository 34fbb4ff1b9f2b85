/** Repeated reading at an interval, while the tab is visible and no faster than the server allows. */

import { Backoff } from './backoff.js';

export const LATE = 1000; // milliseconds without an answer after which a reading confirms nothing

export class Poll {
  /**
   * @param {number} seconds between two answers
   * @param {() => Promise<void>} read
   * @param {(error: Error) => void} failed
   * @param {{ hidden?: number, late?: () => void }} [more] hidden: seconds between two answers while the tab is hidden, 0: none;
   *   late: called when an answer is late
   */
  constructor(seconds, read, failed, { hidden = 0, late = () => {} } = {}) {
    this.seconds = seconds;
    this.read = read;
    this.failed = failed;
    this.hidden = hidden;
    this.noteLate = late;
    this.backoff = new Backoff();
    this.timer = 0;
    this.due = Infinity;
    this.last = -Infinity;
    this.running = false;
    this.paused = true;
    /** monotonic milliseconds at which the first of the readings without an answer began; 0 when the last was answered */
    this.unanswered = 0;
    this.failing = false;
    document.addEventListener('visibilitychange', () => { if (!document.hidden && !this.paused) this.soon(0); });
  }

  /** Return the seconds for which readings had no answer; 0 in the first second of one, which may still get it. */
  get late() {
    const waited = this.unanswered ? performance.now() - this.unanswered : 0;
    return this.failing || waited >= LATE ? waited / 1000 : 0;
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
    if (document.hidden && !this.hidden) return; // read when the tab is visible again
    this.running = true;
    this.unanswered ||= performance.now();
    const late = window.setTimeout(() => this.noteLate(), LATE);
    try {
      await this.read();
      [this.unanswered, this.failing] = [0, false];
      this.backoff.reset();
      this.soon(document.hidden ? this.hidden : this.seconds);
    } catch (error) {
      this.failing = true;
      this.failed(/** @type {Error} */ (error));
      const wait = Math.min(this.seconds, this.backoff.next('error'));
      this.soon(Math.max(wait, document.hidden ? this.hidden : 0, /** @type {any} */ (error).retry ?? 0));
    } finally {
      window.clearTimeout(late);
      this.running = false;
      this.last = performance.now();
    }
  }
}
