/** What is wrong and what to do: one alert for each cause, derived from the state, so that it ends with its cause. */

import { activityOf } from './bot_state.js';
import { byId, command, find, h, setAttribute, setText } from './dom.js';
import { duration } from './format.js';

/** @typedef {{ id: string, tone: 'bad' | 'warn' | 'info', title: string, text: string, command?: string }} Alert */
/** @typedef {{ state: string, age?: number | null, reason?: string | null, keys?: boolean, failed_in_a_row?: number, [more: string]: unknown }} Part */
/** @typedef {{ status: string, version: string, uptime: number, as_of: number, parts: Record<string, Part>, warnings?: string[], journal?: { head: string, seq: number, size: number } }} Health */

/**
 * @typedef {object} State
 * @property {boolean} connected
 * @property {number} down seconds without a connection; 0 while there is one
 * @property {Health | null} health
 * @property {import('./types').BotStatus | null} bot
 * @property {string | null} loadError why the journal cannot be read
 * @property {string | null} missing entries that were given up
 * @property {boolean} full the server has no stream left
 * @property {boolean} reset the journal was replaced and is read again
 * @property {string[]} refused entries with numbers that cannot be used
 * @property {string | null} accountError why cash and positions cannot be read
 */

const LONG = 100; // characters from which a heading may be cut
const GRACE = 3; // seconds without a connection before the alert; the header says it at once
const WELL = new Set(['ok', 'idle', 'starting']);
/** Parts of /health that fail together with the bot; the bot's alert covers them. */
const BOT_PARTS = new Set(['bot', 'poller']);
const EXCHANGE_PARTS = new Set(['kalshi', 'exchange', 'push', 'fill_socket', 'healer', 'backfill', 'balance', 'account']);
const NOT_COMPARED = 'the account cannot be compared'; // a reconciliation that fails with the exchange, and has found no difference
const JOURNAL_PARTS = new Set(['journal', 'recorder', 'feed', 'journal_tailer', 'lease', 'leader', 'relay']);
/** @type {Map<string, string>} */
const ADVICE = new Map(Object.entries({
  relay: 'Workers read the journal instead, a little more slowly. Nothing is lost.',
  cache: 'Answers are stored in memory until Redis is back. Nothing is lost.',
  streams: 'Close other pages, or raise MAX_STREAMS.',
}));

/**
 * Return the alerts of a state, the worst first.
 * @param {State} state
 * @returns {Alert[]}
 */
export function alertsOf(state) {
  if (!state.connected) return state.down > GRACE ? [unreachable(state)] : [];
  const parts = Object.entries(state.health?.parts ?? {}).filter(([, part]) => !WELL.has(part.state))
    .filter(([, part], _, all) => !(part.reason?.startsWith(NOT_COMPARED) && all.some(([name]) => EXCHANGE_PARTS.has(name))));
  const found = [
    botAlert(state, parts), exchangeAlert(state, parts), journalAlert(parts),
    ...parts.filter(([name]) => !BOT_PARTS.has(name) && !EXCHANGE_PARTS.has(name) && !JOURNAL_PARTS.has(name)).map(([name, part]) => partAlert(name, part)),
    ...readingAlerts(state),
    ...(state.health?.warnings ?? []).map((text, at) => alert(`warning-${at}`, 'warn', 'The service warns', text)),
  ];
  return found.filter((each) => each !== null);
}

/** @param {State} state @returns {Alert} */
function unreachable({ down }) {
  const since = down >= 2 ? ` for ${duration(down)}` : '';
  return alert('server', 'bad', `The server cannot be reached${since}`, 'What looks old is the last that was received. The page goes on by itself when the server is back, and misses nothing.');
}

/**
 * @param {State} state
 * @param {[string, Part][]} parts
 */
function botAlert({ bot, health }, parts) {
  const part = parts.find(([name]) => BOT_PARTS.has(name));
  const reason = bot?.reason ?? part?.[1].reason ?? '';
  const because = reason ? `: ${reason}` : '';
  const activity = activityOf(bot);
  if (activity === 'halted') {
    return alert('bot', 'bad', `The bot is halted${because}`, 'It places no orders until the halt is cleared.', 'curl -X POST http://127.0.0.1:9000/clear -H "Authorization: Bearer $BOT_TOKEN"');
  }
  if (activity === 'refused') return alert('bot', 'bad', `The exchange refuses the bot's orders${because}`, 'It tries again more slowly. See Service and bot for the reasons.');
  if (activity === 'stopped') return alert('bot', 'bad', `The bot has stopped${because}`, 'Its orders may still rest on the exchange.', 'python -m bot cancel');
  if (activity === 'other') return alert('bot', 'warn', `The bot reports an unknown state${because}`, 'See its own status page.');
  if (activity === 'paused') return alert('bot', 'info', `The bot is paused${because}`, 'It opens no positions and may close some.', 'curl -X POST http://127.0.0.1:9000/resume -H "Authorization: Bearer $BOT_TOKEN"');
  if (!bot && !part) return null;
  if (bot?.status === 'online' && !part) return null;
  const exchange = health?.parts.kalshi?.state === 'ok' ? 'New trades are read from the exchange meanwhile, more slowly.' : 'New trades cannot be read from the exchange either, so trades and positions may be old.';
  if (bot?.status === 'online') return alert('bot', 'warn', `The bot's trades cannot be read${because}`, exchange);
  const down = bot?.status === 'stalled' ? 'The bot answers but has stalled' : 'The bot cannot be reached';
  return alert('bot', bot?.status === 'stalled' ? 'warn' : 'bad', `${down}${because}`, `Start it, or check BOT_STATUS_ENDPOINT. ${exchange}`, 'python -m bot');
}

/**
 * @param {State} state
 * @param {[string, Part][]} parts
 */
function exchangeAlert({ health, accountError }, parts) {
  const kalshi = health?.parts.kalshi;
  const bad = parts.filter(([name]) => EXCHANGE_PARTS.has(name));
  if (kalshi?.keys === false) {
    return alert('keys', 'info', 'No keys for the exchange: cash and positions of the account are not known', 'Trades, positions and profit follow from the bot\'s trades. Set KALSHI_API_KEY and KALSHI_RSA_KEY_PATH to see cash and marks.');
  }
  if (kalshi && !WELL.has(kalshi.state)) return alert('exchange', 'bad', `The exchange cannot be read${kalshi.reason ? `: ${kalshi.reason}` : ''}`, 'Cash and marks are the last that were received. It is tried again by itself.');
  if (bad.length > 0) {
    const [name, part] = bad[0];
    return alert('exchange', 'warn', `${title(name)} ${part.state}${part.reason ? `: ${part.reason}` : ''}`, 'New trades of the account may come later than usual. It is tried again by itself.');
  }
  return accountError ? alert('exchange', 'warn', 'Cash and positions cannot be read', `${accountError} Profit and positions from the journal are not affected.`) : null;
}

/** @param {[string, Part][]} parts */
function journalAlert(parts) {
  const bad = parts.filter(([name]) => JOURNAL_PARTS.has(name));
  if (bad.length === 0) return null;
  const [name, part] = bad.find(([each]) => each === 'journal') ?? bad[0];
  const advice = ADVICE.get(name) ?? 'No trade is announced before it is stored. Check the disk or the database of JOURNAL_URL.';
  return alert('journal', ADVICE.has(name) ? 'warn' : 'bad', `${title(name)} ${part.state}${part.reason ? `: ${part.reason}` : ''}`, advice);
}

/**
 * @param {string} name
 * @param {Part} part
 */
function partAlert(name, part) {
  return alert(`part-${name}`, 'warn', `${title(name)} ${part.state}${part.reason ? `: ${part.reason}` : ''}`, ADVICE.get(name) ?? '');
}

/** @param {State} state */
function readingAlerts({ loadError, missing, full, reset, refused }) {
  return [
    loadError ? alert('load', 'bad', 'The journal cannot be read', `${loadError} It is tried again by itself.`) : null,
    reset ? alert('reset', 'info', 'The journal was replaced', 'Everything is being read again.') : null,
    missing ? alert('missing', 'warn', 'Some entries could not be read', `${missing} Sums are without them. Reload the page to try again.`) : null,
    full ? alert('full', 'warn', 'The server has no stream left for this page', 'It is tried again by itself. Close other pages, or raise MAX_STREAMS.') : null,
    refused.length ? alert('refused', 'warn', `${refused.length} ${refused.length === 1 ? 'entry has' : 'entries have'} numbers that cannot be used`, `${refused[0]}. Positions are without ${refused.length === 1 ? 'it' : 'them'}.`) : null,
  ];
}

/**
 * @param {string} id
 * @param {Alert['tone']} tone
 * @param {string} heading
 * @param {string} text
 * @param {string} [toCopy]
 * @returns {Alert}
 */
function alert(id, tone, heading, text, toCopy) {
  return { id, tone, title: heading, text, ...(toCopy ? { command: toCopy } : {}) };
}

/** @param {string} name */
export function title(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}

/** @type {Map<string, HTMLElement>} */
const shown = new Map();

/**
 * Show these alerts and remove all others.
 * @param {Alert[]} alerts
 */
export function showAlerts(alerts) {
  const ids = new Set(alerts.map(({ id }) => id));
  for (const [id, element] of shown) if (!ids.has(id)) { element.remove(); shown.delete(id); }
  for (const { id, tone, title: heading, text, command: toCopy } of alerts) {
    let element = shown.get(id);
    if (!element || element.dataset.command !== (toCopy ?? '')) {
      element?.remove();
      element = h('div', { class: 'alert', 'data-id': id, 'data-command': toCopy ?? '' }, h('strong'), h('p'), toCopy ? command(toCopy) : null);
      shown.set(id, element);
      byId('alerts').append(element);
    }
    element.dataset.tone = tone;
    setText(find('strong', element), heading);
    setAttribute(find('strong', element), 'title', heading.length > LONG ? heading : null);
    setText(find('p', element), text);
  }
}
