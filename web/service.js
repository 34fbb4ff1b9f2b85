/** The service's own health: every part with its state, its age and the reason. */

import { mark } from './age.js';
import { at, h, say } from './dom.js';
import { ago } from './format.js';
import { alert } from './states.js';

/** @typedef {{ state: string, age?: number | null, reason?: string | null }} Part */

const WELL = ['ok', 'idle', 'starting'];
const ADVICE = /** @type {Record<string, string>} */ ({
  bot: 'Start the bot, or check BOT_STATUS_ENDPOINT. Trades come from the exchange meanwhile, more slowly.',
  kalshi: 'Numbers of the exchange stay as they were and turn grey. It is asked again by itself; check the keys if this lasts.',
  push: 'New trades come by polling until the push of the exchange is back; a little later, and none is lost.',
  healer: 'Holes cannot be filled from the exchange just now; it is tried again by itself.',
  relay: 'Workers follow the journal instead: a little slower, and nothing is lost.',
  cache: 'Answers are kept in memory until Redis is back. Nothing is lost.',
  journal: 'Nothing is announced that cannot be kept. Check the disk or the database of JOURNAL_URL.',
  recorder: 'Nothing is announced that cannot be kept. Check the disk or the database of JOURNAL_URL.',
  streams: 'Close other pages, or raise MAX_STREAMS.',
});

/**
 * Returns the names of the parts that are ill.
 * @param {{ status: string, version: string, uptime: number, parts: Record<string, Part>, warnings?: string[], as_of: number }} health
 */
export function show(health) {
  const parts = Object.entries(health.parts);
  at('parts').replaceChildren(...parts.map(([name, part]) => item(name, part)));
  const ill = parts.filter(([, part]) => !WELL.includes(part.state));
  say(at('health-note'), `version ${health.version}, up for ${ago(health.uptime).replace('now', 'a moment')}`);
  mark(at('health-age'), { source: 'service', as_of: health.as_of, got: Date.now() / 1000, stale: false, term: 50 }, at('health'));
  for (const name of Object.keys(ADVICE)) if (!ill.some(([each]) => each === name)) alert(`part ${name}`, '');
  for (const [name, part] of ill) alert(`part ${name}`, `${title(name)} ${part.state}${part.reason ? `: ${part.reason}` : ''}`, ADVICE[name] ?? '');
  return ill.map(([name]) => name);
}

/**
 * @param {string} name
 * @param {Part} part
 */
function item(name, part) {
  const well = WELL.includes(part.state);
  const age = part.age === null || part.age === undefined ? '' : ago(part.age);
  return h('li', {},
    h('span', { class: `mark ${well ? 'ok' : 'bad'}`, 'aria-hidden': 'true' }, well ? '●' : '▲'),
    h('span', {}, h('b', {}, title(name)), ` ${part.state}`, part.reason ? h('span', { class: 'reason' }, part.reason) : null),
    h('span', { class: 'age' }, age));
}

/** @param {string} name */
function title(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}
