/** The server's clock as this page sees it: ages and the right edge of charts do not depend on the browser's clock. */

const KEPT = 8; // observations; the largest has the smallest delay
const STEP = 5; // seconds by which the server's clock must differ to count as set anew

export class ServerClock {
  /**
   * @param {() => number} monotonic seconds
   * @param {() => number} local Unix seconds of this machine, used until the server has sent a time
   */
  constructor(monotonic = () => performance.now() / 1000, local = () => Date.now() / 1000) {
    this.monotonic = monotonic;
    this.local = local;
    /** @type {{ offset: number, received: number }[]} server time less monotonic time */
    this.observed = [];
  }

  /** Return the Unix seconds of the server's clock. */
  now() {
    if (this.observed.length === 0) return this.local();
    return this.monotonic() + Math.max(...this.observed.map(({ offset }) => offset));
  }

  /** Return how far the browser's clock is ahead of the server's, in seconds. */
  get skew() {
    return this.observed.length === 0 ? 0 : this.local() - this.now();
  }

  /**
   * Take a time that the server has just sent.
   * @param {number} timestamp Unix seconds
   */
  observe(timestamp) {
    if (!Number.isFinite(timestamp)) return;
    const received = this.monotonic();
    const observation = { offset: timestamp - received, received };
    const last = this.observed[this.observed.length - 1];
    // Delayed messages of a frozen tab arrive together and differ in offset; a clock that was set back keeps its offset.
    const setBack = last && observation.offset < this.now() - received - STEP && Math.abs(observation.offset - last.offset) < 1;
    if (setBack) this.observed = [];
    this.observed = [...this.observed, observation].slice(-KEPT);
  }
}

/** The clock that the modules of one page share. */
export const clock = new ServerClock();
