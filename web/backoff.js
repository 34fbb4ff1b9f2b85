/** Waits between tries: longer each time, and different for each browser. */

/** Seconds by what ended the last connection: [first wait, longest wait]. A page has to be current within 5 s of a restart. */
const WAITS = {
  error: [0.4, 2.4],
  shutdown: [0.8, 2.4],
  age: [0.3, 2.4],
  slow: [0.5, 2.4],
  away: [1, 3],
  busy: [3, 30],
  full: [5, 30],
};

export class Backoff {
  /** @param {() => number} random between 0 and 1 */
  constructor(random = Math.random) {
    this.random = random;
    this.tries = 0;
  }

  /**
   * Return the seconds until the next try, between half and one and a half of a wait that doubles.
   * @param {string} reason how the last connection ended: error, or the reason of a bye
   */
  next(reason) {
    const [first, longest] = WAITS[/** @type {keyof typeof WAITS} */ (reason)] ?? WAITS.error;
    const wait = Math.min(longest, first * 2 ** this.tries);
    this.tries += 1;
    return wait * (0.5 + this.random());
  }

  /** Begin again with the first wait: a connection has held. */
  reset() {
    this.tries = 0;
  }
}
