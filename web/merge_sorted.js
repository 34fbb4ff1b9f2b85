/** Merging of the sorted moves of many markets into one series. */

/** @typedef {{ times: number[], gains: number[] }} Series gains in the order of times */

/**
 * Return one series in the order of time, merged two by two: each input is sorted already.
 * @param {Series[]} series
 * @returns {Series}
 */
export function merge(series) {
  if (series.length < 2) return series[0] ?? { times: [], gains: [] };
  const half = series.length >> 1;
  return mergeTwo(merge(series.slice(0, half)), merge(series.slice(half)));
}

/**
 * @param {Series} a
 * @param {Series} b
 */
function mergeTwo(a, b) {
  const length = a.times.length + b.times.length;
  const merged = { times: /** @type {number[]} */ ([]), gains: /** @type {number[]} */ ([]) };
  for (let i = 0, j = 0; i + j < length;) {
    const first = j >= b.times.length || (i < a.times.length && a.times[i] <= b.times[j]);
    merged.times.push(first ? a.times[i] : b.times[j]);
    merged.gains.push(first ? a.gains[i++] : b.gains[j++]);
  }
  return merged;
}
