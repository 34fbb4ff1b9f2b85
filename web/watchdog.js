/** Detection of a silent connection that does not mistake a frozen tab or a sleeping machine for one. The caller passes the time. */

export class Watchdog {
  /** @param {number} heartbeat seconds between heartbeats, until they are seen to be rarer */
  constructor(heartbeat = 30) {
    this.heartbeat = heartbeat;
    this.armed = false;
    /** monotonic seconds of the last message */
    this.received = 0;
    this.checked = 0;
    this.wall = 0;
    /** monotonic seconds of the last heartbeat; 0 before the first of a connection */
    this.beat = 0;
  }

  /** Seconds of silence after which a connection counts as dead: two lost heartbeats and a margin. */
  get limit() {
    return this.heartbeat * 2.2 + 2;
  }

  /**
   * Count silence from now on.
   * @param {number} now monotonic seconds
   * @param {number} [wall] Unix seconds; left out where sleep makes no difference
   */
  arm(now, wall = 0) {
    this.armed = true;
    this.received = now;
    this.beat = 0;
    [this.checked, this.wall] = [now, wall];
  }

  disarm() {
    this.armed = false;
  }

  /**
   * Note that a message arrived.
   * @param {number} now
   * @param {boolean} heartbeat
   */
  feed(now, heartbeat = false) {
    this.received = now;
    if (!heartbeat) return;
    // The server may send heartbeats more rarely than assumed; one late heartbeat at most doubles the interval.
    if (this.beat && now - this.beat > this.heartbeat) this.heartbeat = Math.min(now - this.beat, this.heartbeat * 2, 120);
    this.beat = now;
  }

  /**
   * Check about once a second. "dead": silent too long. "slept": the machine was suspended, so the connection may be gone.
   * "ok" otherwise; a tab that was frozen gets a full term, since its messages are delivered only now.
   * @param {number} now
   * @param {number} [wall]
   * @returns {'ok' | 'dead' | 'slept'}
   */
  check(now, wall = 0) {
    const [ran, passed] = [now - this.checked, wall - this.wall];
    [this.checked, this.wall] = [now, wall];
    if (!this.armed) return 'ok';
    if (passed - ran > 10) return 'slept';
    if (ran > 10 && ran > this.limit / 4) this.received = now;
    return now - this.received > this.limit ? 'dead' : 'ok';
  }
}
