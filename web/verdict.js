/** The comparison with the exchange in words: one for the head of the table, one line of reasons under it. */

import { gain, plain } from './format.js';

/** @typedef {import('./compare.js').Compared} Compared */

const SAME = 0.01;

/**
 * @param {Compared | null} found
 * @param {boolean} old
 */
export function told(found, old) {
  if (!found) return '';
  const when = old ? ' as last heard' : '';
  if (found.quantities) return `\u25b2 ${plain(found.quantities)} ${found.quantities === 1 ? 'quantity differs' : 'quantities differ'} from the exchange${when}`;
  return found.checking ? 'comparing with the exchange' : `quantities agree with the exchange${when}`;
}

/**
 * Why money may differ where contracts agree; empty when it does not.
 * @param {Compared | null} found
 */
export function why(found) {
  if (!found?.amounts) return '';
  const markets = found.amounts === 1 ? 'one market' : `${plain(found.amounts)} markets`;
  const same = Math.abs(found.realized - found.cost) < SAME * found.amounts ? ', together the same profit' : '';
  return `\u2260 The exchange\u2019s sums differ in ${markets}: cost ${gain(found.cost)}, realized ${gain(found.realized)}${same}. `
    + 'It counts by its own method, this page first in, first out; what was held before the journal began is one lot here.';
}
