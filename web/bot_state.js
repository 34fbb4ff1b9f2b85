/** The bot's state in words: status, activity and reason, with the tone of a color. */

import { duration } from './format.js';

/** @typedef {import('./types').BotStatus} BotStatus */
/** @typedef {'good' | 'info' | 'warn' | 'bad' | 'idle'} Tone */

/** @type {Map<string, { tone: Tone, word: string }>} */
const ACTIVITIES = new Map(Object.entries({
  trading: { tone: 'good', word: 'trading' },
  paused: { tone: 'info', word: 'paused' },
  halted: { tone: 'bad', word: 'HALTED' },
  refused: { tone: 'bad', word: 'orders refused' },
  stopped: { tone: 'bad', word: 'stopped' },
  other: { tone: 'warn', word: 'unknown state' },
}));
/** @type {Map<string, { tone: Tone, word: string }>} */
const STATUSES = new Map(Object.entries({
  online: { tone: 'good', word: 'online' },
  stalled: { tone: 'warn', word: 'stalled' },
  offline: { tone: 'bad', word: 'offline' },
}));

const UNKNOWN_STATE = { tone: /** @type {Tone} */ ('warn'), word: 'unknown state' };

/**
 * Return the activity of a bot that is online, "other" for a word that is not in the table; null where it gives none.
 * @param {BotStatus | null} status
 */
export function activityOf(status) {
  if (status?.status !== 'online' || !status.activity) return null;
  return ACTIVITIES.has(status.activity) ? status.activity : 'other';
}

/**
 * Return tone, short word and full text of the bot's state. connected false: the last that was received, in grey.
 * @param {BotStatus | null} status
 * @param {boolean} connected
 * @param {number} now Unix seconds of the server
 */
export function describeBot(status, connected, now) {
  if (!status) return { tone: /** @type {Tone} */ ('idle'), word: 'unknown', text: 'Bot: no status yet', reason: '' };
  const online = status.status === 'online';
  const { tone, word } = (online && status.activity ? ACTIVITIES.get(activityOf(status) ?? '') : STATUSES.get(status.status)) ?? UNKNOWN_STATE;
  const since = status.since && now - status.since >= 2 ? ` for ${duration(now - status.since)}` : '';
  const reason = status.reason ?? '';
  if (!connected) return { tone: /** @type {Tone} */ ('idle'), word, text: `Bot was ${word}`, reason: 'The server is not connected; this is the last status that was received.' };
  return { tone, word, text: `Bot ${word}${since}`, reason };
}

/**
 * Return true if the bot cannot trade although somebody may expect it to.
 * @param {BotStatus | null} status
 */
export function isBotDown(status) {
  if (!status) return false;
  return status.status !== 'online' || ['halted', 'refused', 'stopped', 'other'].includes(activityOf(status) ?? '');
}
