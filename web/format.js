/** Numbers, times and ages as people read them; numbers come as exact text and keep their digits. */

const locale = 'en-US';
const cents = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const counts = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

/** @typedef {number | string | null | undefined} Figure */

const MISSING = '–';
const MINUS = '\u2212';
const DIGIT = '\u2007'; // as wide as a figure
const POINT = '\u2008'; // as wide as a full stop

/**
 * @param {Intl.NumberFormat} format
 * @param {number | string} value
 */
function shown(format, value) {
  return format.format(/** @type {any} exact text is formatted exactly */ (value)).replace('-', MINUS);
}

/**
 * Dollars and cents.
 * @param {Figure} value
 */
export function money(value) {
  if (value === null || value === undefined) return MISSING;
  const text = shown(cents, value);
  return text.startsWith(MINUS) ? `${MINUS}$${text.slice(1)}` : `$${text}`;
}

/**
 * A gain or a loss: the sign is always told, so that color need not tell it.
 * @param {Figure} value
 */
export function gain(value) {
  if (value === null || value === undefined) return MISSING;
  const text = money(value);
  return Number(value) > 0 ? `+${text}` : text;
}

/** @param {Figure} value */
export function tone(value) {
  const number = Number(value ?? 0);
  return Math.abs(number) < 0.005 ? '' : number > 0 ? 'gain' : 'loss';
}

/**
 * A price with its decimals under those of its neighbours: two to four of them.
 * @param {Figure} value
 */
export function price(value) {
  if (value === null || value === undefined) return MISSING;
  const text = shown(fine, value);
  return text + DIGIT.repeat(Math.max(0, 4 - (text.length - text.indexOf('.') - 1)));
}

/**
 * Contracts, whole ones and hundredths aligned.
 * @param {Figure} value
 */
export function count(value) {
  if (value === null || value === undefined) return MISSING;
  const text = shown(counts, value);
  const point = text.indexOf('.');
  return point < 0 ? text + POINT + DIGIT.repeat(2) : text + DIGIT.repeat(2 - (text.length - point - 1));
}

/** @param {number | null | undefined} value */
export function plain(value) {
  return value === null || value === undefined ? MISSING : shown(counts, value);
}

/**
 * A moment as short as it can be: the time today, the day before that.
 * @param {number} seconds Unix
 */
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date).slice(0, 5)}`;
}

/** @param {number} seconds Unix */
export function exactly(seconds) {
  return whole.format(new Date(seconds * 1000));
}

/**
 * An age or a wait in words.
 * @param {number} seconds
 */
export function ago(seconds) {
  if (seconds < 2) return 'now';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
