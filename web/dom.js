/** Making and changing elements. Text is always set as text, never as markup. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined>} [attributes] undefined and false leave one out
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
 * Return the element of the page with that id. Throws Error when there is none.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @param {string} selector
 * @param {ParentNode} [within]
 */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * Set text only where it differs, so that nothing is laid out or read aloud again without a change.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Set an attribute only where it differs; null removes it.
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @type {Set<() => void>} measure and draw what depends on the size of an element */
const sized = new Set();

/**
 * Call a function when an element has another size, and when the page is laid out for paper or for the window again.
 * @param {Element} element
 * @param {() => void} measure
 */
export function observeSize(element, measure) {
  sized.add(measure);
  new ResizeObserver(measure).observe(element);
}

/** Lay the page out for paper before it is printed: no frame and no observer runs between that moment and the print. */
export function listenToPrint() {
  const root = document.documentElement;
  let theme = root.dataset.theme;
  window.addEventListener('beforeprint', () => {
    theme = root.dataset.theme;
    root.dataset.theme = 'light';
    root.classList.add('printing');
    for (const measure of sized) measure();
  });
  window.addEventListener('afterprint', () => {
    if (theme) root.dataset.theme = theme;
    root.classList.remove('printing');
    for (const measure of sized) measure();
  });
}

/** @type {Set<() => void>} waiting for the next frame */
const due = new Set();
const ROUNDS = 4; // of one frame
let drawing = false;

/**
 * Call a function with the next frame, once, however often it is requested. What a drawing requests is drawn in the same
 * frame, so that a count and the rows that it counts appear together.
 * @param {() => void} draw
 */
export function nextFrame(draw) {
  if (due.size === 0 && !drawing) requestAnimationFrame(drawAll);
  due.add(draw);
}

function drawAll() {
  drawing = true;
  for (let round = 0; round < ROUNDS && due.size > 0; round += 1) {
    const all = [...due];
    due.clear();
    for (const draw of all) {
      try {
        draw();
      } catch (error) {
        reportError(error); // the other drawings go on
      }
    }
  }
  drawing = false;
  if (due.size > 0) requestAnimationFrame(drawAll);
}

/**
 * Return the text that stands where there is nothing to show.
 * @param {string} title
 * @param {string} hint
 */
export function emptyNote(title, hint) {
  return h('div', { class: 'empty' }, h('strong', {}, title), h('span', {}, hint));
}

/**
 * Return a command with a button that copies it.
 * @param {string} text
 */
export function command(text) {
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': `Copy: ${text}` }, 'Copy');
  button.addEventListener('click', () => {
    void navigator.clipboard?.writeText(text).then(() => setText(button, 'Copied'), () => setText(button, 'Select and copy it'));
    window.setTimeout(() => setText(button, 'Copy'), 2000);
  });
  return h('span', { class: 'command' }, h('code', { tabindex: '0' }, text), button);
}
