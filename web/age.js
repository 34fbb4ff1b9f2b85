/** Source and age beside every number, ticking; and the grey of what is no longer true of the moment. */

import { say } from './dom.js';
import { ago, exactly } from './format.js';

/**
 * source: who said it. as_of: when it was last confirmed there. got: when we last heard so. stale: the server's own word.
 * term: seconds after which not having heard again makes it old; live: kept current by the stream, which may have ended.
 * doubt: whether what said it is known to be ill now, so that even a fresh copy may no longer be true.
 * @typedef {{ source: string, as_of: number, got: number, stale: boolean, term: number, live?: () => boolean, doubt?: () => boolean, why?: string }} Stamp
 */

/** @type {Map<Element, { stamp: Stamp, part: Element }>} */
const stamps = new Map();

const NAMES = /** @type {Record<string, string>} */ ({
  bot_live: 'bot', kalshi_api: 'Kalshi', redis_cache: 'Kalshi, cached', memory_cache: 'Kalshi, cached', journal: 'journal', stream: 'stream',
});

/** @param {string} source */
export function named(source) {
  return NAMES[source] ?? source;
}

/**
 * Say beside a number whence it is. part: what turns grey with it.
 * @param {Element} node
 * @param {Stamp} stamp
 * @param {Element} part
 */
export function mark(node, stamp, part) {
  stamps.set(node, { stamp, part });
  tick(node);
}

/** @param {Stamp} stamp */
export function isStale(stamp, now = Date.now() / 1000) {
  if (stamp.live) return !stamp.live();
  return stamp.stale || now - stamp.got > stamp.term || (stamp.doubt?.() ?? false);
}

/** @param {Element} node */
function tick(node) {
  const found = stamps.get(node);
  if (!found) return;
  const { stamp, part } = found;
  const stale = isStale(stamp);
  const age = ago(Math.max(0, Date.now() / 1000 - stamp.as_of));
  const live = stamp.live && !stale;
  say(node, `${named(stamp.source)} · ${live ? 'live' : age === 'now' ? age : `${age} ago`}${stale ? ' · old' : ''}`);
  const title = `${stamp.source}, as of ${exactly(stamp.as_of)}${stamp.why ? `. ${stamp.why}` : ''}`;
  if (node.getAttribute('title') !== title) node.setAttribute('title', title);
  part.classList.toggle('stale', stale);
}

/** Once a second every number grows older; nobody has to notice for it to turn grey. */
export function start() {
  window.setInterval(() => { for (const node of stamps.keys()) tick(node); }, 1000);
  document.addEventListener('visibilitychange', () => { for (const node of stamps.keys()) tick(node); });
}

/**
 * The stamp of an answer by REST.
 * @param {{ source: string, as_of: number, stale: boolean }} answer
 * @param {number} term
 * @returns {Stamp}
 */
export function stampOf(answer, term) {
  return { source: answer.source, as_of: answer.as_of, stale: answer.stale, got: Date.now() / 1000, term };
}
