/** Moves of many markets as one row in the order of time. Pure. */

/** @typedef {{ times: number[], gains: number[] }} Run moves in the order of time */

/**
 * All in one, two by two: each market is in order already, and to sort a million anew would be seen.
 * @param {Run[]} runs
 * @returns {Run}
 */
export function merged(runs) {
  if (runs.length < 2) return runs[0] ?? { times: [], gains: [] };
  const half = runs.length >> 1;
  return woven(merged(runs.slice(0, half)), merged(runs.slice(half)));
}

/**
 * @param {Run} a
 * @param {Run} b
 */
function woven(a, b) {
  const [count, both] = [a.times.length + b.times.length, { times: /** @type {number[]} */ ([]), gains: /** @type {number[]} */ ([]) }];
  for (let i = 0, j = 0; i + j < count;) {
    const first = j >= b.times.length || (i < a.times.length && a.times[i] <= b.times[j]);
    both.times.push(first ? a.times[i] : b.times[j]);
    both.gains.push(first ? a.gains[i++] : b.gains[j++]);
  }
  return both;
}
