/** How long to wait before the next try: longer each time, and never the same for two browsers. */

/** Seconds by what ended the last connection: [first wait, longest wait]. A page is to be current within 5 s of a restart. */
const PACE = {
  error: [0.4, 2.4],
  shutdown: [0.8, 2.4],
  age: [0.3, 2.4],
  slow: [0.5, 2.4],
  full: [5, 30],
};

export class Backoff {
  /** @param {() => number} random between 0 and 1 */
  constructor(random = Math.random) {
    this.random = random;
    this.tries = 0;
  }

  /**
   * Seconds until the next try, between half and one and a half of a pace that doubles.
   * @param {string} reason how the last connection ended: error, or the reason of a bye
   */
  next(reason) {
    const [first, longest] = PACE[/** @type {keyof typeof PACE} */ (reason)] ?? PACE.error;
    const pace = Math.min(longest, first * 2 ** this.tries);
    this.tries += 1;
    return pace * (0.5 + this.random());
  }

  /** A connection has held: the next failure is a new story. */
  reset() {
    this.tries = 0;
  }
}
