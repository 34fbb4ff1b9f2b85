/** The cell that names a market: the outcome's own words, the end of the ticker, and the event where there is room. */

import { h, setAttribute, setText } from './dom.js';
import { address } from './router.js';

/** @typedef {import('./market_names.js').Name} Name */

/**
 * Show a market as a link to its view. The link stays the same element while its text changes, so that no click is lost.
 * @param {HTMLElement} cell
 * @param {string} ticker
 * @param {Name} name
 * @param {boolean} wide there is room for the event
 */
export function drawMarket(cell, ticker, name, wide) {
  const key = `${wide}|${name.lead}|${name.event}|${name.code}|${ticker}`;
  if (cell.dataset.key === key && cell.childElementCount) return;
  cell.dataset.key = key;
  cell.className = 'td market';
  cell.title = `${name.lead}${name.event ? ` · ${name.event}` : ''} (${ticker})`;
  if (cell.firstElementChild?.localName !== 'a') cell.replaceChildren(emptyLink());
  const link = /** @type {HTMLElement} */ (cell.firstElementChild);
  const [lead, code, event] = /** @type {HTMLElement[]} */ ([...link.children]);
  setAttribute(link, 'href', address('markets', { ticker }));
  setText(lead, name.lead);
  // The end of the ticker tells markets apart whose words are cut.
  code.hidden = name.code === name.lead;
  setText(/** @type {Element} */ (code.firstElementChild), name.code);
  event.hidden = !wide || name.event === '';
  setText(event, name.event);
}

/**
 * Show a text where a row has no market.
 * @param {HTMLElement} cell
 * @param {string} text
 */
export function drawPlain(cell, text) {
  if (cell.dataset.key === text && cell.childElementCount) return;
  cell.dataset.key = text;
  cell.className = 'td market';
  cell.title = text;
  cell.replaceChildren(h('span', { class: 'plain' }, text));
}

function emptyLink() {
  return h('a', { tabindex: '-1' }, h('b'), h('span', { class: 'ticker' }, h('bdi', { dir: 'ltr' })), h('span', { class: 'event' }));
}
