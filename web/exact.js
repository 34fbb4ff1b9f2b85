/** Exact numbers: dollars and contracts as whole numbers of a small unit; nothing here is ever rounded by accident. */

/** Decimals of a price, of a count of contracts, and of an amount of money (their product). */
export const PRICE = 6;
export const COUNT = 2;
export const MONEY = PRICE + COUNT;

/** One dollar as a price. */
export const DOLLAR = 10 ** PRICE;

/**
 * A JSON number or its decimal text as a whole number of 10^-places. Throws RangeError when it is not exactly one,
 * so a number that we cannot keep is never quietly another.
 * @param {number | string} value
 * @param {number} places
 * @param {string} what named in the error
 * @returns {number} a safe integer
 */
export function whole(value, places, what) {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const unit = 10 ** places;
  // The division is correctly rounded, so it gives back the very double that the decimal text reads as, and only that.
  const result = typeof number === 'number' ? Math.round(number * unit) : NaN;
  if (!Number.isSafeInteger(result) || result / unit !== number) {
    throw new RangeError(`${what}: ${String(value).slice(0, 40)} is not a number of at most ${places} decimals`);
  }
  return result === 0 ? 0 : result;
}

/**
 * The shortest exact decimal text of a whole number of 10^-places: "0.65", "-3.5", "50".
 * @param {bigint} amount
 * @param {number} places
 */
export function text(amount, places) {
  const digits = String(amount < 0n ? -amount : amount).padStart(places + 1, '0');
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  const plain = digits.slice(0, digits.length - places) + (places && fraction ? `.${fraction}` : '');
  return amount < 0n ? `-${plain}` : plain;
}

/**
 * a × b / c rounded half up, for numbers that are not negative.
 * @param {bigint} a
 * @param {bigint} b
 * @param {bigint} c
 */
export function share(a, b, c) {
  return (2n * a * b + c) / (2n * c);
}
