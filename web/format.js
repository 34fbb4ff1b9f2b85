/** Numbers, times and durations as text. Amounts may come as exact decimal text and keep their digits. */

const LOCALE = 'en-US';
const number = (/** @type {Intl.NumberFormatOptions} */ options) => new Intl.NumberFormat(LOCALE, options);
const cents = number({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = number({ minimumFractionDigits: 2, maximumFractionDigits: 4 });
const finest = number({ minimumFractionDigits: 2, maximumFractionDigits: 8 });
const counts = number({ maximumFractionDigits: 2 });
const every = number({ maximumFractionDigits: 8 });
const short = number({ notation: 'compact', minimumFractionDigits: 1, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric' });
const year = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

/** @typedef {number | string | null | undefined} Amount */

export const UNKNOWN = '–';
const MINUS = '\u2212';
const FIGURE_SPACE = '\u2007'; // as wide as a digit
const POINT_SPACE = '\u2008'; // as wide as a decimal point
const COMPACT_FROM = 100_000; // dollars or contracts from which compact text is shorter

/** @param {Amount} value @returns {value is null | undefined} */
export function isUnknown(value) {
  return value === null || value === undefined || Number.isNaN(value);
}

/**
 * @param {Intl.NumberFormat} format
 * @param {number | string} value
 */
function signed(format, value) {
  const plain = value === 0 ? 0 : value; // minus zero is not a loss
  return format.format(/** @type {any} decimal text is formatted exactly */ (plain)).replace('-', MINUS);
}

/** @param {string} text */
function dollars(text) {
  return text.startsWith(MINUS) ? `${MINUS}$${text.slice(1)}` : `$${text}`;
}

/**
 * Dollars and cents; amounts below a cent keep the decimals that tell them from zero.
 * @param {Amount} value
 */
export function money(value) {
  if (isUnknown(value)) return UNKNOWN;
  const size = Math.abs(Number(value));
  return dollars(signed(size === 0 || size >= 0.01 ? cents : size >= 0.00005 ? fine : finest, value));
}

/**
 * Dollars in at most nine characters: $1.23M, $456.7K, $789.01.
 * @param {Amount} value
 */
export function compactMoney(value) {
  if (isUnknown(value) || Math.abs(Number(value)) < COMPACT_FROM) return money(value);
  return dollars(signed(short, value));
}

/**
 * Dollars with every decimal there is, for hover and copy.
 * @param {Amount} value
 */
export function exactMoney(value) {
  return isUnknown(value) ? UNKNOWN : dollars(signed(finest, value));
}

/**
 * Money with its sign: color is never the only difference between profit and loss.
 * @param {Amount} value
 * @param {(value: Amount) => string} [text]
 */
export function profit(value, text = money) {
  return !isUnknown(value) && Number(value) > 0 ? `+${text(value)}` : text(value);
}

/**
 * The class that colors a profit; empty for zero and for what is unknown.
 * @param {Amount} value
 */
export function tone(value) {
  const size = Number(value ?? 0);
  return Math.abs(size) < 0.005 ? '' : size > 0 ? 'gain' : 'loss';
}

/**
 * A price with two to four decimals.
 * @param {Amount} value
 */
export function price(value) {
  return isUnknown(value) ? UNKNOWN : signed(fine, value);
}

/** @param {Amount} value */
export function quantity(value) {
  return isUnknown(value) ? UNKNOWN : signed(counts, value);
}

/** @param {string} text @returns {number} digits after the decimal point */
export function decimals(text) {
  return /\.(\d+)$/.exec(text)?.[1].length ?? 0;
}

/**
 * Pad a number on its right so that decimal points of a column stand under each other.
 * @param {string} text
 * @param {number} most decimals in the column
 */
export function alignPoint(text, most) {
  const own = decimals(text);
  if (own >= most || !/\d$/.test(text)) return text;
  return text + (own === 0 ? POINT_SPACE : '') + FIGURE_SPACE.repeat(most - own);
}

/** @param {Amount} value */
export function compactQuantity(value) {
  if (isUnknown(value) || Math.abs(Number(value)) < COMPACT_FROM) return quantity(value);
  return signed(short, value);
}

/** @param {Amount} value */
export function count(value) {
  return isUnknown(value) ? UNKNOWN : signed(counts, value);
}

/**
 * A number with all of its decimals.
 * @param {Amount} value
 */
export function precise(value) {
  return isUnknown(value) ? UNKNOWN : signed(every, value);
}

/** @param {number | null | undefined} ratio between 0 and 1 */
export function percent(ratio) {
  return ratio === null || ratio === undefined || !Number.isFinite(ratio) ? UNKNOWN : `${(ratio * 100).toFixed(1)}%`;
}

/**
 * The time of day for today, day and minute for earlier days.
 * @param {number} seconds Unix
 * @param {number} now Unix seconds of the server
 */
export function shortTime(seconds, now) {
  const [date, today] = [new Date(seconds * 1000), new Date(now * 1000)];
  if (date.toDateString() === today.toDateString()) return clock.format(date);
  return `${(date.getFullYear() === today.getFullYear() ? day : year).format(date)}, ${clock.format(date).slice(0, 5)}`;
}

/** @param {number} seconds Unix */
export function shortDay(seconds) {
  return day.format(new Date(seconds * 1000));
}

/** @param {number} seconds Unix */
export function fullTime(seconds) {
  return full.format(new Date(seconds * 1000));
}

/**
 * A short time between two events: 4 ms, 1.25 s, 5 min.
 * @param {number} seconds
 */
export function lag(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${seconds.toFixed(2)} s` : duration(seconds);
}

/**
 * A duration in one unit: 12 s, 5 min, 3 h, 2 days; "now" below two seconds.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 2) return 'now';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** @param {number} seconds */
export function ago(seconds) {
  const text = duration(Math.max(0, seconds));
  return text === 'now' ? 'now' : `${text} ago`;
}
