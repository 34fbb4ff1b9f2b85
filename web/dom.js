/** Making and changing elements; text is always set as text, never as markup. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined>} [attributes] `class`, `data-…`, `aria-…`; undefined leaves one out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child || child === '').map((child) => /** @type {Node | string} */ (child)));
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * The element of the page with that id; the page is ours, so it is there.
 * @param {string} id
 */
export function at(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @param {string} selector
 * @param {ParentNode} [within]
 */
export function one(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * Change text only where it differs, so that nothing is laid out or read aloud again for nothing.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @type {Set<() => void>} what waits for the next frame */
const due = new Set();

/**
 * Draw with the next frame, once, however often it is asked for: fifty trades a second are sixty frames at most.
 * @param {() => void} draw
 */
export function soon(draw) {
  if (due.size === 0) {
    requestAnimationFrame(() => {
      const all = [...due];
      due.clear();
      for (const each of all) each();
    });
  }
  due.add(draw);
}

/**
 * What to show where there is nothing to show.
 * @param {string} title
 * @param {string} hint
 */
export function empty(title, hint) {
  return h('div', { class: 'empty' }, h('strong', {}, title), h('span', {}, hint));
}
