/** Exact decimals: dollars and contracts as whole numbers of a small unit. Rounding happens only where it is named. */

/** Decimals of a price, of a count of contracts, and of an amount of money (their product). */
export const PRICE = 6;
export const COUNT = 2;
export const MONEY = PRICE + COUNT;

/** One dollar as a price. */
export const DOLLAR = 10 ** PRICE;

/**
 * Return a JSON number or its decimal text as a whole number of 10^-places, a safe integer.
 * Throws RangeError when the value has more decimals or does not fit.
 * @param {number | string | null | undefined} value
 * @param {number} places
 * @param {string} field named in the error
 */
export function whole(value, places, field) {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const unit = 10 ** places;
  // The division is correctly rounded: it returns the double that the decimal text reads as, and no other.
  const result = typeof number === 'number' ? Math.round(number * unit) : NaN;
  if (!Number.isSafeInteger(result) || result / unit !== number) {
    throw new RangeError(`${field}: expected a number with at most ${places} decimals, got ${String(value).slice(0, 40)}`);
  }
  return result === 0 ? 0 : result;
}

/**
 * Return the shortest exact decimal text of a whole number of 10^-places: "0.65", "-3.5", "50".
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
 * Return decimal text made by `text` as a whole number of 10^-places.
 * @param {string} decimal
 * @param {number} places
 */
export function amount(decimal, places) {
  const [head, tail = ''] = decimal.split('.');
  return BigInt(head + tail.padEnd(places, '0'));
}

/**
 * Return a × b / c rounded half away from zero; b and c are not negative. Callers round a running total and take
 * differences, so that the parts always add up to the whole.
 * @param {bigint} a
 * @param {bigint} b
 * @param {bigint} c
 * @returns {bigint}
 */
export function share(a, b, c) {
  return a < 0n ? -share(-a, b, c) : (2n * a * b + c) / (2n * c);
}
