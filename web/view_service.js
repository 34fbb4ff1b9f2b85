/** The view Service and bot: every part with its state, what the bot reports of itself, counts of the streams. */

import { title } from './alerts.js';
import { command, h, setText } from './dom.js';
import { count, duration, fullTime } from './format.js';
import { fillList } from './panels.js';
import { Poll } from './poll.js';
import { get } from './rest.js';
import { panel } from './view_overview.js';

/** @typedef {import('./dashboard.js').Page} Page */

const WELL = new Set(['ok', 'idle', 'starting']);
const COMMANDS = [
  ['Stop trading now', 'curl -X POST http://127.0.0.1:9000/halt -H "Authorization: Bearer $BOT_TOKEN"'],
  ['Pause', 'curl -X POST http://127.0.0.1:9000/pause -H "Authorization: Bearer $BOT_TOKEN"'],
  ['Trade again after a halt', 'curl -X POST http://127.0.0.1:9000/clear -H "Authorization: Bearer $BOT_TOKEN"'],
  ['Cancel every resting order from outside the bot', 'python -m bot cancel'],
  ['Check the installation', 'python server.py doctor'],
];

export class ServiceView {
  /** @param {Page} page @param {HTMLElement} place */
  constructor(page, place) {
    this.page = page;
    this.note = h('span', { class: 'minor' });
    const parts = panel('parts', 'Service', this.note);
    this.parts = h('ul', { class: 'parts' });
    parts.body.append(this.parts);
    const bot = panel('bot-report', 'Bot');
    this.bot = h('dl', { class: 'facts' });
    bot.body.append(this.bot);
    const streams = panel('streams', 'Streams');
    this.streams = h('dl', { class: 'facts' });
    streams.body.append(this.streams);
    const commands = panel('commands', 'Commands', h('span', { class: 'minor' }, 'this page reads; it does not trade'));
    commands.body.append(h('dl', { class: 'facts commands' }, ...COMMANDS.map(([name, text]) => h('div', {}, h('dt', {}, name), h('dd', {}, command(text))))));
    place.append(h('div', { class: 'split even' }, parts.element, h('div', { class: 'stack' }, bot.element, streams.element, commands.element)));
    this.sections = [parts.element, bot.element, streams.element];
    /** @type {any} */
    this.statistics = null;
    this.poll = new Poll(5, async () => { this.statistics = await get(new URL('sse/stats', page.base)); page.draw(); }, () => {});
  }

  show() {
    this.poll.start();
  }

  hide() {
    this.poll.stop();
  }

  draw() {
    const { model } = this.page;
    const { health } = model;
    for (const section of this.sections) section.classList.toggle('old', !this.page.situation().connected);
    if (!health) return;
    setText(this.note, `${health.status}, version ${health.version}, up for ${duration(health.uptime).replace('now', 'a moment')}`);
    const key = JSON.stringify(health.parts);
    if (this.parts.dataset.key !== key) {
      this.parts.dataset.key = key;
      this.parts.replaceChildren(...Object.entries(health.parts).map(([name, part]) => partItem(name, part)));
    }
    fillList(this.bot, reported({ ...model.status, ...health.parts.bot, ...model.status }));
    if (this.statistics) fillList(this.streams, reported(this.statistics));
  }
}

/**
 * @param {string} name
 * @param {import('./alerts.js').Part} part
 */
function partItem(name, part) {
  const well = WELL.has(part.state);
  const age = part.age === null || part.age === undefined ? '' : duration(part.age);
  return h('li', {},
    h('span', { class: `mark ${well ? 'ok' : 'bad'}`, 'aria-hidden': 'true' }, well ? '●' : '▲'),
    h('span', {}, h('b', {}, title(name)), ` ${part.state}`, h('span', { class: 'counts' }, countsOf(name, part)), part.reason ? h('span', { class: 'reason' }, part.reason) : null),
    h('span', { class: 'age' }, age));
}

/**
 * Return what a part has counted, in words; empty for the bot, which has a panel of its own.
 * @param {string} name
 * @param {import('./alerts.js').Part} part
 */
function countsOf(name, part) {
  if (name === 'bot') return '';
  return Object.entries(part).filter(([field, value]) => typeof value === 'number' && field !== 'age')
    .map(([field, value]) => `${field.replaceAll('_', ' ')} ${count(/** @type {number} */ (value))}`).join(' · ');
}

/**
 * Return every field of a report as name and text: the page shows what a newer bot adds without knowing it.
 * @param {Record<string, unknown>} report
 * @returns {[string, string][]}
 */
export function reported(report) {
  return Object.entries(report).filter(([name]) => !['source', 'as_of', 'stale', 'state'].includes(name)).flatMap(([name, value]) => {
    const label = title(name);
    if (value === null || value === undefined) return [/** @type {[string, string]} */ ([label, '–'])];
    if (Array.isArray(value)) return [/** @type {[string, string]} */ ([label, value.length ? value.map((each) => (typeof each === 'object' ? JSON.stringify(each) : String(each))).join(', ') : 'none'])];
    if (typeof value === 'object') return reported(/** @type {Record<string, unknown>} */ (value)).map(([inner, text]) => /** @type {[string, string]} */ ([`${label}: ${inner.toLowerCase()}`, text]));
    if (typeof value === 'number') return [/** @type {[string, string]} */ ([label, /since|timestamp/.test(name) && value > 1e9 ? fullTime(value) : /^(age|uptime|loop_age)$/.test(name) ? duration(value) : count(value)])];
    return [/** @type {[string, string]} */ ([label, String(value)])];
  });
}

