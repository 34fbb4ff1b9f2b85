/** The header that stays: mode, bot, connection; and the same state in the tab's title and icon. */

import { describeBot, isBotDown } from './bot_state.js';
import { byId, find, setAttribute, setText } from './dom.js';
import { count } from './format.js';

/** @typedef {import('./bot_state.js').Tone} Tone */

/** @type {Map<string, [string, string, string]>} */
const MODES = new Map(Object.entries({
  live: ['LIVE', '', 'Trades on the exchange with real money.'],
  demo: ['DEMO', ' · no real money', 'Trades on a demo exchange.'],
  paper: ['PAPER', ' · simulated', 'Simulated trades. No order reaches any exchange.'],
}));
const COLORS = { good: '#1d4ed8', old: '#6b7280', bad: '#c0281d', warn: '#b45309' };
const TITLE = 'Prediction Investor';

/**
 * @param {string} id
 * @param {Tone} tone
 * @param {string} text
 * @param {string} [detail]
 * @param {string} [short] the text on a narrow screen
 */
function pill(id, tone, text, detail = '', short = '') {
  const element = byId(id);
  element.dataset.tone = tone;
  setAttribute(element, 'title', detail || null);
  setAttribute(element, 'data-short', short || null);
  setText(find('.text', element), text);
}

/**
 * @param {import('./types').BotStatus | null} status
 * @param {boolean} connected
 * @param {number} now
 */
export function showBot(status, connected, now) {
  const { tone, text, reason } = describeBot(status, connected, now);
  const short = reason.length > 48 ? `${reason.slice(0, 47)}…` : reason;
  pill('bot', tone, short && connected ? `${text} · ${short}` : text, reason);
}

/**
 * @param {import('./types').Freshness} fresh
 * @param {boolean} connected the stream is open and the server answers
 * @param {string} progress of reading the journal; empty when it was read
 */
export function showConnection(fresh, connected, progress) {
  const place = fresh.cursor ? ` #${count(fresh.seq)}` : '';
  const role = fresh.leader ? 'This tab holds the connection.' : 'Another tab holds the connection.';
  if (fresh.state === 'starting') return pill('connection', 'idle', progress || 'Reading the journal…');
  if (fresh.state === 'waiting') return pill('connection', 'bad', `Disconnected${place ? ` at${place}` : ''} · trying again`, role);
  if (fresh.state === 'live' && !connected) return pill('connection', 'bad', `The server does not answer${place ? ` since${place}` : ''}`, role);
  if (fresh.state === 'live' && fresh.complete) return pill('connection', 'good', `Live · complete up to${place}`, role, `Live ·${place}`);
  if (fresh.state === 'live') return pill('connection', 'warn', progress || `Live · reading what is missing after${place}`, role);
  return pill('connection', 'warn', place ? `Connecting · have up to${place}` : 'Connecting…', role);
}

/** @param {import('./types').Mode | null} mode null while it is unknown */
export function showMode(mode) {
  const element = byId('mode');
  const [word, more, detail] = mode ? MODES.get(mode) ?? [mode.toUpperCase(), '', ''] : ['MODE UNKNOWN', '', 'Neither the bot nor a trade has said it yet.'];
  setText(find('.word', element), word);
  setText(find('.more', element), more);
  setAttribute(element, 'title', detail);
  document.body.dataset.mode = mode ?? 'unknown';
}

/**
 * Show the state in title and icon, so that a tab in the background tells it too.
 * @param {{ status: import('./types').BotStatus | null, connected: boolean, ready: boolean, unseen: number }} state
 */
export function showTab({ status, connected, ready, unseen }) {
  const bot = describeBot(status, true, 0);
  const word = ready && !connected ? 'OFFLINE' : isBotDown(status) ? `BOT ${bot.word.toUpperCase()}` : '';
  const title = `${unseen ? `(${unseen}) ` : ''}${word ? `▲ ${word} · ` : ''}${TITLE}`;
  if (document.title !== title) document.title = title;
  const tone = ready && !connected ? 'old' : isBotDown(status) ? (bot.tone === 'warn' ? 'warn' : 'bad') : 'good';
  const link = find('link[rel="icon"]', document.head);
  if (link.dataset.tone === tone) return;
  link.dataset.tone = tone;
  setAttribute(link, 'href', tone === 'good' ? link.dataset.good ?? 'web/icon.svg' : icon(COLORS[tone]));
}

/** @param {string} color */
function icon(color) {
  const shape = '<path d="M6 22l6-7 5 4 9-11" fill="none" stroke="white" stroke-width="3"/>';
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${color}"/>${shape}</svg>`)}`;
}
