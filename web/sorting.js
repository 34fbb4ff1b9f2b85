/** Sorting of many rows within a frame: a stable radix sort over 64-bit keys. */

const BITS = 11; // of a pass: its counters fit into the processor's nearest cache
const MASK = (1 << BITS) - 1;

/**
 * Return the indices 0 … keys.length - 1 in the order of their keys; NaN comes first. Equal keys keep their order.
 * @param {Float64Array} keys
 */
export function sortedIndices(keys) {
  const words = new Uint32Array(keys.length * 2);
  new Float64Array(words.buffer).set(keys);
  orderBits(words);
  let order = new Uint32Array(keys.length);
  for (let at = 0; at < order.length; at += 1) order[at] = at;
  let spare = new Uint32Array(keys.length);
  const digits = new Uint16Array(keys.length);
  for (let shift = 0; shift < 64; shift += BITS) {
    if (!readDigits(words, shift, digits)) continue; // all have the same
    const starts = new Uint32Array(MASK + 2);
    for (let at = 0; at < digits.length; at += 1) starts[digits[at] + 1] += 1;
    for (let at = 1; at < starts.length; at += 1) starts[at] += starts[at - 1];
    for (let at = 0; at < order.length; at += 1) spare[starts[digits[order[at]]]++] = order[at];
    [order, spare] = [spare, order];
  }
  return order;
}

/**
 * Read the digit of each key that begins at a bit. Returns false when all are equal.
 * @param {Uint32Array} words low and high half of each key, in turn
 * @param {number} shift
 * @param {Uint16Array} digits
 */
function readDigits(words, shift, digits) {
  let differs = false;
  for (let at = 0; at < digits.length; at += 1) {
    const low = words[2 * at];
    const high = words[2 * at + 1];
    if (shift >= 32) digits[at] = (high >>> (shift - 32)) & MASK;
    else digits[at] = ((low >>> shift) | (shift === 0 ? 0 : high << (32 - shift))) & MASK;
    if (digits[at] !== digits[0]) differs = true;
  }
  return differs;
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
