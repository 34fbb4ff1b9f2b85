/** Notices a connection that has gone silent, and is not fooled by a frozen tab or a sleeping laptop. Pure: told the time. */

export class Watchdog {
  /** @param {number} heartbeat seconds between heartbeats until they have been seen to be rarer */
  constructor(heartbeat = 30) {
    this.heartbeat = heartbeat;
    this.armed = false;
    this.heard = 0;
    this.checked = 0;
    this.wall = 0;
    /** when the last heartbeat came; 0 when none did on this connection */
    this.beat = 0;
  }

  /** Seconds of silence that are too many: two heartbeats lost and some. */
  get limit() {
    return this.heartbeat * 2.2 + 2;
  }

  /**
   * A connection begins, or a tab is seen again: count silence from now.
   * @param {number} now monotonic seconds
   * @param {number} wall seconds of the clock on the wall
   */
  arm(now, wall) {
    this.armed = true;
    this.heard = now;
    this.beat = 0;
    [this.checked, this.wall] = [now, wall];
  }

  disarm() {
    this.armed = false;
  }

  /**
   * Something was heard.
   * @param {number} now
   * @param {boolean} heartbeat
   */
  hear(now, heartbeat = false) {
    this.heard = now;
    if (!heartbeat) return;
    // The server may beat more slowly than we thought; a single late beat (two at once come after a freeze) teaches nothing.
    if (this.beat && now - this.beat > this.heartbeat) this.heartbeat = Math.min(now - this.beat, this.heartbeat * 2, 120);
    this.beat = now;
  }

  /**
   * Look, about once a second. "dead": silent too long. "slept": the machine was off, so the connection is not to be
   * trusted. "ok" else; a tab that was frozen gets a full term, since what came meanwhile is only now delivered.
   * @param {number} now
   * @param {number} wall
   * @returns {'ok' | 'dead' | 'slept'}
   */
  check(now, wall) {
    const [ran, passed] = [now - this.checked, wall - this.wall];
    [this.checked, this.wall] = [now, wall];
    if (!this.armed) return 'ok';
    if (passed - ran > 10) return 'slept';
    if (ran > 10 && ran > this.limit / 4) this.heard = now;
    return now - this.heard > this.limit ? 'dead' : 'ok';
  }
}
