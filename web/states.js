/** How things stand: the bot, the stream, the mode; and what is wrong, with what to do about it. */

import { at, h, one, say } from './dom.js';
import { ago } from './format.js';

/** @typedef {'good' | 'warn' | 'bad' | 'idle'} Tone */

/**
 * @param {string} id
 * @param {Tone} tone
 * @param {string} text
 * @param {string} [title]
 */
function pill(id, tone, text, title = '') {
  const element = at(id);
  element.dataset.state = tone;
  element.title = title;
  say(one('span', element), text);
}

/**
 * @param {import('./types').BotStatus | null} status
 * @param {boolean} current whether we would hear if it changed
 */
export function bot(status, current) {
  if (!status) return pill('bot', 'idle', 'Bot: not heard of yet');
  const age = status.since ? ` for ${ago(Date.now() / 1000 - status.since).replace('now', 'a moment')}` : '';
  if (!current) return pill('bot', 'idle', `Bot was ${status.status}`, 'The stream is not connected; this is the last that was heard.');
  const tone = status.status === 'online' ? 'good' : status.status === 'stalled' ? 'warn' : 'bad';
  return pill('bot', tone, `Bot ${status.status}${age}`, status.reason ?? '');
}

/** @param {import('./types').Freshness} fresh @param {string} progress */
export function stream(fresh, progress) {
  const upto = fresh.cursor ? ` #${fresh.seq}` : '';
  const role = fresh.leader ? 'this tab holds the connection' : 'the connection is held by another tab';
  if (fresh.state === 'live' && fresh.complete) return pill('stream', 'good', `Live · complete up to${upto}`, role);
  if (fresh.state === 'live') return pill('stream', 'warn', progress || `Live · reading what is missing after${upto}`, role);
  if (fresh.state === 'starting') return pill('stream', 'idle', progress || 'Reading the journal…');
  if (fresh.state === 'waiting') return pill('stream', 'bad', `Disconnected · ${upto ? `have up to${upto}, ` : ''}trying again`, role);
  return pill('stream', 'warn', upto ? `Connecting · have up to${upto}` : 'Connecting…', role);
}

const BANNERS = { demo: 'DEMO: trades on a demo exchange. No real money is moved.', paper: 'PAPER: simulated trades. No order reaches any exchange.', live: '' };

/** @param {import('./types').Mode | null} mode null while nothing is known */
export function mode(mode) {
  at('mode').hidden = mode === null;
  say(at('mode'), mode ? mode.toUpperCase() : '');
  document.body.dataset.mode = mode ?? '';
  at('banner').hidden = !mode || mode === 'live';
  say(at('banner'), mode ? BANNERS[mode] : '');
}

/** @type {Map<string, HTMLElement>} */
const alerts = new Map();

/**
 * Show an alert, change it, or take it away with an empty title.
 * @param {string} name
 * @param {string} title
 * @param {string} [advice]
 */
export function alert(name, title, advice = '') {
  let element = alerts.get(name);
  if (!title) {
    element?.remove();
    alerts.delete(name);
    return;
  }
  if (!element) {
    element = h('div', { class: 'alert' }, h('strong'), h('p'));
    alerts.set(name, element);
    at('alerts').append(element);
  }
  say(one('strong', element), title);
  say(one('p', element), advice);
}
