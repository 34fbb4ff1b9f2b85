/** Small pieces that several views use: lists of names and values, buttons, and controls of a time range. */

import { h, setText } from './dom.js';

/**
 * Fill a definition list; a value may be text or an element. Unchanged text is left alone.
 * @param {HTMLElement} list
 * @param {[string, string | Node, string?][]} items name, value, class
 */
export function fillList(list, items) {
  const key = items.map(([name]) => name).join('|');
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...items.map(([name]) => h('div', {}, h('dt', {}, name), h('dd'))));
  }
  items.forEach(([, value, name], at) => {
    const cell = /** @type {HTMLElement} */ (list.children[at].lastElementChild);
    if (typeof value === 'string') setText(cell, value);
    else if (cell.firstChild !== value) cell.replaceChildren(value);
    if (cell.className !== (name ?? '')) cell.className = name ?? '';
  });
}

/**
 * Return a button.
 * @param {string} text
 * @param {() => void} action
 */
export function button(text, action) {
  const element = h('button', { type: 'button' }, text);
  element.addEventListener('click', action);
  return element;
}

/** Ranges that move with the time, in seconds. */
export const RANGES = /** @type {const} */ ([['1h', 3600], ['24h', 86_400], ['7d', 604_800], ['30d', 2_592_000]]);

/**
 * Return the range that parameters name: `last=24h`, or `from` and `to` as Unix seconds or local ISO time.
 * @param {Record<string, string>} parameters
 * @param {number} now
 */
export function rangeOf(parameters, now) {
  const last = RANGES.find(([name]) => name === parameters.last);
  if (last) return { from: now - last[1], to: Infinity };
  return { from: timeOf(parameters.from) ?? -Infinity, to: timeOf(parameters.to) ?? Infinity };
}

const LATEST = 253_370_764_800; // Unix seconds of the year 9999, the last that a field of a date shows

/** @param {string | undefined} text */
function timeOf(text) {
  if (!text) return null;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) / 1000 : NaN;
  return seconds >= 0 && seconds < LATEST ? seconds : null; // false for NaN too
}

/**
 * Return a time as the value of a local date and time field.
 * @param {number} seconds
 */
export function localTime(seconds) {
  if (!Number.isFinite(seconds)) return '';
  const date = new Date(seconds * 1000);
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * Return the sort order that a parameter names: `price`, or `-price` for descending.
 * @param {string | undefined} text
 * @param {{ column: string, descending: boolean }} fallback
 */
export function sortOf(text, fallback) {
  if (!text) return fallback;
  return { column: text.replace(/^-/, ''), descending: text.startsWith('-') };
}

/** Buttons of ranges and fields for a begin and an end, bound to parameters of the address. */
export class RangeControls {
  /**
   * @param {HTMLElement} place
   * @param {(parameters: Record<string, string>) => void} changed
   */
  constructor(place, changed) {
    this.buttons = h('div', { class: 'choice', role: 'group', 'aria-label': 'Period' },
      ...[...RANGES.map(([name]) => name), 'all'].map((name) => {
        const element = button(name, () => changed({ last: name === 'all' ? '' : name, from: '', to: '' }));
        element.dataset.range = name;
        return element;
      }));
    this.from = h('input', { type: 'datetime-local', step: '1', 'aria-label': 'From' });
    this.to = h('input', { type: 'datetime-local', step: '1', 'aria-label': 'To' });
    for (const [field, name] of /** @type {[HTMLInputElement, string][]} */ ([[this.from, 'from'], [this.to, 'to']])) {
      field.addEventListener('change', () => changed({ last: '', [name]: field.value }));
    }
    place.append(this.buttons, h('span', { class: 'fields' }, ...[this.from, this.to].map((field) => h('label', {}, `${field.ariaLabel} `, field))));
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    const chosen = parameters.last || (parameters.from || parameters.to ? '' : 'all');
    for (const element of this.buttons.children) element.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (element).dataset.range === chosen));
    for (const [field, text] of /** @type {[HTMLInputElement, string | undefined][]} */ ([[this.from, parameters.from], [this.to, parameters.to]])) {
      if (field !== document.activeElement) field.value = localTime(timeOf(text) ?? NaN);
      field.classList.toggle('unset', field.value === '');
    }
  }
}
