/** Keys of the page and the sheet that lists them. */

import { byId, find, h } from './dom.js';
import { VIEWS } from './router.js';

const KEYS = [
  ['1 … 8', 'views, in the order of the tabs'], ['/', 'search or filter'], ['t', 'light or dark'], ['e', 'export what the list shows'],
  ['↑ ↓ Page Home End', 'scroll the list that has the focus'], ['Enter', 'go into its rows: ↑ ↓ choose, Enter opens the market, Esc leaves'], ['← →', 'read points of the chart that has the focus'], ['+ −', 'zoom the chart'], ['Esc', 'show all of the chart, close this sheet'], ['?', 'this sheet'],
];

/**
 * Listen to the keys of the page.
 * @param {import('./router.js').Router} router
 */
export function listenToKeys(router) {
  const sheet = /** @type {HTMLDialogElement} */ (byId('keys'));
  find('dl', sheet).append(...KEYS.map(([key, text]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, text))));
  byId('help').addEventListener('click', () => sheet.showModal());
  find('button', sheet).addEventListener('click', () => sheet.close());
  document.addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select, textarea, dialog')) return;
    if (press(event.key, router, sheet)) event.preventDefault();
  });
}

/**
 * @param {string} key
 * @param {import('./router.js').Router} router
 * @param {HTMLDialogElement} sheet
 */
function press(key, router, sheet) {
  const view = VIEWS[Number(key) - 1];
  if (view) router.go(view);
  else if (key === '?') sheet.showModal();
  else if (key === 't') byId('theme').click();
  else if (key === '/') focusSearch();
  else if (key === 'e') visible('.filters button')?.click();
  else return false;
  return true;
}

/**
 * Focus the search of the view. A view that was chosen by the key before is shown a moment later, hence the tries.
 * @param {number} [tries] frames
 */
function focusSearch(tries = 20) {
  const search = visible('input[type="search"]');
  if (search) search.focus();
  else if (tries > 0) requestAnimationFrame(() => focusSearch(tries - 1));
}

/** @param {string} selector */
function visible(selector) {
  const found = [...document.querySelectorAll(`main ${selector}`)].map((element) => /** @type {HTMLElement} */ (element));
  return selector.includes('button') ? found.find((element) => element.offsetParent !== null && element.textContent?.startsWith('Export')) : found.find((element) => element.offsetParent !== null);
}
