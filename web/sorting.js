/** Sorting of many rows within a frame: a stable radix sort, over whole numbers where the keys can be scaled to them. */

const BITS = 11; // of a pass: its counters fit into the processor's nearest cache
const SIZE = 1 << BITS;
const SCALES = [1, 100, 1e3, 1e4, 1e6, 1e8]; // dollars, cents, milliseconds … as the keys need it
const LARGEST = 2 ** 32 - 2;
const INEXACT = 0.01; // of a scaled key, beyond which it is not a decimal number of that scale

/**
 * Return the indices 0 … keys.length - 1 in the order of their keys; NaN comes first. Equal keys keep their order.
 * @param {Float64Array} keys
 * @returns {Uint32Array<ArrayBuffer>}
 */
export function sortedIndices(keys) {
  let order = new Uint32Array(keys.length);
  for (let at = 0; at < order.length; at += 1) order[at] = at;
  const whole = scaled(keys);
  if (whole) return sortBy(order, whole);
  const words = new Uint32Array(new Float64Array(keys).buffer);
  orderBits(words);
  for (const half of [0, 1]) {
    const word = new Uint32Array(keys.length);
    for (let at = 0; at < word.length; at += 1) word[at] = words[2 * at + half];
    order = sortBy(order, word);
  }
  return order;
}

/**
 * Return the keys less the smallest one as whole numbers, 0 for NaN; null where that would change their order.
 * @param {Float64Array} keys
 */
function scaled(keys) {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at];
    if (key < low) low = key;
    if (key > high) high = key;
  }
  for (const scale of low > high ? [1] : SCALES) {
    const whole = (high - low) * scale <= LARGEST ? scaledBy(keys, low, scale) : null;
    if (whole) return whole;
  }
  return null;
}

/**
 * Return the keys as whole numbers of a scale; null at the first that is none.
 * @param {Float64Array} keys
 * @param {number} low the smallest key
 * @param {number} scale
 */
function scaledBy(keys, low, scale) {
  const whole = new Uint32Array(keys.length);
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at];
    if (key !== key) continue; // NaN
    const exact = (key - low) * scale;
    const rounded = Math.floor(exact + 0.5);
    if (Math.abs(exact - rounded) > INEXACT) return null;
    whole[at] = rounded + 1;
  }
  return whole;
}

/**
 * Return indices in the order of their words; equal words keep the order of the indices.
 * @param {Uint32Array<ArrayBuffer>} indices
 * @param {Uint32Array} words by index
 */
function sortBy(indices, words) {
  let differing = 0;
  for (let at = 1; at < words.length; at += 1) differing |= words[at] ^ words[0];
  let [order, spare] = [indices, new Uint32Array(indices.length)];
  for (let shift = 0; shift < 32; shift += BITS) {
    if (((differing >>> shift) & (SIZE - 1)) === 0) continue; // all have the same digit
    const starts = new Uint32Array(SIZE + 1);
    for (let at = 0; at < words.length; at += 1) starts[((words[at] >>> shift) & (SIZE - 1)) + 1] += 1;
    for (let at = 1; at < SIZE; at += 1) starts[at] += starts[at - 1];
    for (let at = 0; at < order.length; at += 1) {
      const index = order[at];
      spare[starts[(words[index] >>> shift) & (SIZE - 1)]++] = index;
    }
    [order, spare] = [spare, order];
  }
  return order;
}

/**
 * Change the bits of doubles so that they sort as unsigned integers: flip the sign bit, or all bits of negative numbers.
 * @param {Uint32Array} words low and high half of each, in turn
 */
function orderBits(words) {
  for (let at = 0; at < words.length; at += 2) {
    const high = words[at + 1];
    if ((high & 0x7ff00000) === 0x7ff00000 && ((high & 0x000fffff) | words[at]) !== 0) { words[at] = 0; words[at + 1] = 0; }
    else if (high & 0x80000000) { words[at] = ~words[at]; words[at + 1] = ~high; }
    else words[at + 1] = (high | 0x80000000) >>> 0;
  }
}

/**
 * Compare two values of a column: numbers by size, texts by the alphabet, unknown ones first.
 * @param {number | string | null | undefined} a
 * @param {number | string | null | undefined} b
 */
export function compareValues(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  return a < b ? -1 : 1;
}
