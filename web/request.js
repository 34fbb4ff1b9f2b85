/** One request of the API page: its address and curl command, and running it, as a request or as a stream. */

import { h } from './dom.js';

const LONGEST = 20_000; // characters of an answer that are shown
const EVENTS = 12; // events of a stream that are shown
const NAMES = ['new_trades', 'correction', 'settlement', 'transfer', 'gap', 'baseline', 'reset', 'bot_status', 'heartbeat', 'bye'];

/**
 * Return the address of a request with its parameters; empty ones are left out.
 * @param {string} base where the API lies, with its slash
 * @param {string} path of the document, with {names}
 * @param {{ name: string, in: string, value: string }[]} parameters
 */
export function requestUrl(base, path, parameters) {
  const inPath = parameters.filter((each) => each.in === 'path').reduce((text, { name, value }) => text.replace(`{${name}}`, encodeURIComponent(value || name)), path);
  const query = new URLSearchParams(parameters.filter((each) => each.in === 'query' && each.value !== '').map(({ name, value }) => [name, value])).toString();
  return `${base.replace(/\/$/, '')}${inPath}${query ? `?${query}` : ''}`;
}

/**
 * Return the curl command of a request.
 * @param {string} url
 * @param {boolean} stream
 * @param {boolean} csv
 */
export function curl(url, stream, csv = false) {
  return `curl ${stream ? '-N ' : ''}${csv ? "-H 'Accept: text/csv' " : ''}'${url.replaceAll("'", '%27')}'`;
}

/**
 * Send a request and show its answer.
 * @param {string} url
 * @param {HTMLElement} place
 */
export async function run(url, place) {
  place.replaceChildren(h('p', { class: 'minor' }, 'Waiting for the answer…'));
  const begun = performance.now();
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' } });
    const text = await response.text();
    const kept = ['etag', 'cache-control', 'age', 'retry-after'].filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
    place.replaceChildren(
      h('p', { class: 'minor' }, h('b', {}, `${response.status} ${response.statusText}`), ` · ${Math.round(performance.now() - begun)} ms · ${kept.join(' · ')}`),
      h('pre', { tabindex: '0' }, pretty(text)),
    );
  } catch (error) {
    place.replaceChildren(h('p', { class: 'minor' }, `The server cannot be reached: ${/** @type {Error} */ (error).message}`));
  }
}

/**
 * Open a stream and show its first events. Returns what closes it.
 * @param {string} url
 * @param {HTMLElement} place
 */
export function listen(url, place) {
  const events = new EventSource(url);
  const list = h('pre', { tabindex: '0' });
  const note = h('p', { class: 'minor' }, 'Connecting…');
  place.replaceChildren(note, list);
  let count = 0;
  events.onopen = () => { note.textContent = 'Open; events appear as they come.'; };
  events.onerror = () => { note.textContent = 'The connection ended; the browser tries again.'; };
  for (const name of NAMES) {
    events.addEventListener(name, (event) => {
      count += 1;
      list.append(`event: ${name}\n${event.lastEventId ? `id: ${event.lastEventId}\n` : ''}data: ${event.data}\n\n`);
      if (count < EVENTS) return;
      events.close();
      note.textContent = `Closed after ${EVENTS} events.`;
    });
  }
  return () => { events.close(); note.textContent = 'Closed.'; };
}

/** @param {string} text */
function pretty(text) {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2); // numbers may lose digits here: this is for reading
  } catch { /* no JSON: shown as it is */ }
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}\n… ${shown.length - LONGEST} characters more` : shown;
}
