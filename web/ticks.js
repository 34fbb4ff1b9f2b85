/** Round numbers and round times for the axes of charts. */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const STEPS = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY];
const second = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const minute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric' });
const month = new Intl.DateTimeFormat('en-US', { month: 'short', year: 'numeric' });

/**
 * Return round numbers within a range, about so many, and three at least where a finer step has them.
 * @param {number} low
 * @param {number} high
 * @param {number} about
 */
export function numberTicks(low, high, about) {
  const rough = (high - low || 1) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const found = multiples(low, high, step);
  return found.length < 3 ? multiples(low, high, step / 2) : found;
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} step
 */
function multiples(low, high, step) {
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/**
 * Return round local times within a range, at most so many, with their labels; a new day is named.
 * @param {number} from Unix seconds
 * @param {number} to
 * @param {number} most
 * @returns {{ time: number, label: string }[]}
 */
export function timeTicks(from, to, most) {
  const step = STEPS.find((each) => (to - from) / each <= most);
  const times = step ? daysAndTimes(from, to, step) : months(from, to, most);
  return times.map((time) => ({ time, label: labelOf(time, step ?? Infinity) }));
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} step
 */
function daysAndTimes(from, to, step) {
  const found = [];
  const start = new Date(from * 1000);
  start.setHours(0, 0, 0, 0);
  for (let midnight = start; midnight.getTime() / 1000 <= to; midnight = nextDay(midnight, Math.max(1, step / DAY))) {
    const zero = midnight.getTime() / 1000;
    const end = Math.min(nextDay(midnight, Math.max(1, step / DAY)).getTime() / 1000, to + 1);
    // Round in local time: steps are counted from midnight, which follows daylight saving.
    const skipped = Math.max(0, Math.ceil((from - zero) / step));
    for (let time = zero + skipped * step; time < end; time += step) if (time >= from && time <= to) found.push(time);
  }
  return found;
}

/** @param {Date} date @param {number} days */
function nextDay(date, days) {
  const next = new Date(date);
  next.setDate(next.getDate() + days);
  return next;
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} most
 */
function months(from, to, most) {
  const step = Math.max(1, Math.ceil((to - from) / (30.4 * DAY) / most));
  const date = new Date(from * 1000);
  const at = new Date(date.getFullYear(), date.getMonth() + 1, 1);
  const found = [];
  for (; at.getTime() / 1000 <= to; at.setMonth(at.getMonth() + step)) found.push(at.getTime() / 1000);
  return found;
}

/**
 * @param {number} time
 * @param {number} step
 */
function labelOf(time, step) {
  const date = new Date(time * 1000);
  if (step === Infinity) return month.format(date);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= DAY || midnight) return day.format(date);
  return (step < MINUTE ? second : minute).format(date);
}
