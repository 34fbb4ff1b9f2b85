/** Reading by REST what a stream begins with and what it missed, as often as it takes. */

import { Backoff } from './backoff.js';
import { readAfter } from './journal.js';

/** @typedef {import('./reader.js').Reader} Reader */

export class Catchup {
  /**
   * @param {URL} base
   * @param {Reader} reader
   * @param {(message: string, retry: number) => void} failed
   */
  constructor(base, reader, failed) {
    this.base = base;
    this.reader = reader;
    this.failed = failed;
    this.busy = false;
    this.closed = false;
  }

  /**
   * Read the state. load: returns the cursor up to which it was read.
   * @param {() => Promise<string>} load
   */
  async state(load) {
    await this.#working(async (backoff) => {
      while (this.reader.unread && !this.closed) await this.#trying(backoff, async () => this.reader.start(await load()));
    });
  }

  /** Read what is missing; after three answers without it, go on without. */
  async hole() {
    let empty = 0;
    await this.#working(async (backoff) => {
      for (let hole = this.reader.sequence.hole; hole && !this.reader.unread && !this.closed; hole = this.reader.sequence.hole) {
        if (empty === 3) { this.reader.giveUp(); empty = 0; continue; }
        const { after } = hole;
        await this.#trying(backoff, async () => {
          await this.#fill(after);
          empty = this.reader.sequence.place?.seq === after ? empty + 1 : 0;
          if (empty) await pause(backoff.next('error'));
        });
      }
    });
  }

  /** @param {number} after */
  async #fill(after) {
    const { epoch } = /** @type {import('./types').Cursor} */ (this.reader.sequence.place);
    const page = await readAfter(this.base, { epoch, seq: after });
    if (page.cursor.epoch !== epoch) this.reader.lose('epoch', null);
    else this.reader.take(page.entries);
  }

  /** @param {(backoff: Backoff) => Promise<void>} work */
  async #working(work) {
    this.busy = true;
    await work(new Backoff());
    this.busy = false;
  }

  /**
   * @param {Backoff} backoff
   * @param {() => Promise<void>} step
   */
  async #trying(backoff, step) {
    try {
      await step();
    } catch (error) {
      const retry = backoff.next('error');
      this.failed(/** @type {Error} */ (error).message, retry);
      await pause(retry);
    }
  }
}

/** @param {number} seconds */
function pause(seconds) {
  return new Promise((resolve) => { window.setTimeout(resolve, seconds * 1000); });
}
