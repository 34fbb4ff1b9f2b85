/** Sorting of many rows within a frame: a stable radix sort over 64-bit keys. */

const RADIX = 16; // bits a pass

/**
 * Return the indices 0 … keys.length - 1 in the order of their keys; NaN comes first. Equal keys keep their order.
 * @param {Float64Array} keys
 */
export function sortedIndices(keys) {
  const words = new Uint32Array(keys.length * 2);
  new Float64Array(words.buffer).set(keys);
  orderBits(words);
  let order = Uint32Array.from(keys, (_, at) => at);
  let spare = new Uint32Array(keys.length);
  for (let pass = 0; pass < 4; pass += 1) {
    const [word, shift] = [pass >> 1, (pass & 1) * RADIX];
    const starts = new Uint32Array((1 << RADIX) + 1);
    for (let at = 0; at < order.length; at += 1) starts[((words[2 * at + word] >>> shift) & 0xffff) + 1] += 1;
    for (let at = 1; at < starts.length; at += 1) starts[at] += starts[at - 1];
    for (const index of order) spare[starts[(words[2 * index + word] >>> shift) & 0xffff]++] = index;
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
