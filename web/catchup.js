/** Reading by REST the state that a stream begins with and the entries that it missed, until it succeeds. */

import { Backoff } from './backoff.js';
import { readAfter } from './journal.js';

/** @typedef {import('./decoder.js').Decoder} Decoder */

const EMPTY = 3; // answers without the missing entries after which they are given up

export class Catchup {
  /**
   * @param {URL} base
   * @param {Decoder} decoder
   * @param {(message: string, retry: number) => void} failed
   */
  constructor(base, decoder, failed) {
    this.base = base;
    this.decoder = decoder;
    this.failed = failed;
    this.busy = false;
    this.closed = false;
  }

  /**
   * Read the state until it succeeds.
   * @param {() => Promise<string>} load reads it and returns the cursor up to which it was read
   */
  async readState(load) {
    await this.#exclusively(async (backoff) => {
      while (this.decoder.unread && !this.closed) await this.#attempt(backoff, async () => this.decoder.start(await load()));
    });
  }

  /** Read what is missing; after three answers without it, go on without. */
  async fillMissing() {
    let empty = 0;
    await this.#exclusively(async (backoff) => {
      for (let range = this.decoder.sequence.missing; range && !this.decoder.unread && !this.closed; range = this.decoder.sequence.missing) {
        if (empty === EMPTY) { this.decoder.skipMissing(); empty = 0; continue; }
        const { after } = range;
        await this.#attempt(backoff, async () => {
          await this.#readAfter(after);
          empty = this.decoder.sequence.place?.seq === after ? empty + 1 : 0;
          if (empty) await pause(backoff.next('error'));
        });
      }
    });
  }

  /** @param {number} after */
  async #readAfter(after) {
    const place = /** @type {import('./types').Cursor} */ (this.decoder.sequence.place);
    const page = await readAfter(this.base, { ...place, seq: after });
    if (page.cursor.epoch !== place.epoch) this.decoder.lose('epoch', null);
    else this.decoder.take(page.entries);
  }

  /** @param {(backoff: Backoff) => Promise<void>} work */
  async #exclusively(work) {
    this.busy = true;
    await work(new Backoff());
    this.busy = false;
  }

  /**
   * @param {Backoff} backoff
   * @param {() => Promise<void>} step
   */
  async #attempt(backoff, step) {
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
