/** One entry of the journal as a row of the table of trades. */

import { named } from './age.js';
import { h } from './dom.js';
import { count, exactly, gain, moment, money, price } from './format.js';

/** @typedef {import('./types').Entry} Entry */

export const HEADS = [['Time', ''], ['Market', ''], ['Side', ''], ['Contracts', 'n'], ['Price', 'n'], ['Amount', 'n mid'], ['Fee', 'n low'], ['Source', 'low'], ['#', 'n low']];

/**
 * @param {Entry} entry
 * @param {Map<string, string>} titles
 */
export function row(entry, titles) {
  if ('trade_id' in entry) return traded(entry, titles.get(entry.ticker));
  if ('result' in entry) return settled(entry, titles.get(entry.ticker));
  const text = 'why' in entry
    ? `▲ Trades made between ${moment(entry.from)} and ${moment(entry.to)} may be missing: ${entry.why}`
    : `Began to listen; ${entry.positions.length} positions were held already`;
  // It spans only columns that are always there: one that spanned hidden ones would make room for ghosts of them.
  return h('tr', { class: 'gap' }, time(entry), h('td', { colspan: '4' }, text), cell('', 'mid'), cell('', 'low'), cell('', 'low'), cell(String(entry.seq), 'n low minor'));
}

/**
 * @param {import('./types').Trade} trade
 * @param {string | undefined} title
 */
function traded(trade, title) {
  const buys = trade.side === 'BUY';
  const side = h('td', {}, h('span', { class: `side ${buys ? 'buy' : 'sell'}` }, `${buys ? '▲' : '▽'} ${trade.side}`), ` ${trade.outcome === 'no' ? 'NO' : 'YES'}`);
  const source = trade.origin === 'account' ? 'account' : named(trade.source);
  return h('tr', { title: `trade ${trade.trade_id}${trade.origin === 'account' ? ', made outside the bot' : ''}` },
    time(trade), market(trade.ticker, title), side,
    cell(count(trade.quantity)), cell(price(trade.price)), cell(money(trade.quantity * trade.price), 'n mid'),
    cell(trade.fee === null || trade.fee === undefined ? '–' : price(trade.fee), 'n low'), h('td', { class: 'low minor' }, source), cell(String(trade.seq), 'n low minor'));
}

/**
 * @param {import('./types').Settlement} entry
 * @param {string | undefined} title
 */
function settled(entry, title) {
  return h('tr', { class: 'settled' }, time(entry), market(entry.ticker, title), h('td', {}, h('span', { class: 'side paid' }, '■ PAID'), ` ${entry.result.toUpperCase()}`),
    cell(''), cell(price(entry.value)), cell(gain(entry.revenue), 'n mid'), cell(price(entry.fee), 'n low'), h('td', { class: 'low minor' }, named(entry.source)), cell(String(entry.seq), 'n low minor'));
}

/** @param {Entry} entry */
function time(entry) {
  return h('td', { title: exactly(entry.timestamp) }, h('time', { datetime: new Date(entry.timestamp * 1000).toISOString() }, moment(entry.timestamp)));
}

/**
 * @param {string} text
 * @param {string} [kind]
 */
function cell(text, kind = 'n') {
  return h('td', { class: kind }, text);
}

/**
 * @param {string} ticker
 * @param {string | undefined} title
 */
function market(ticker, title) {
  return h('td', { class: 'market', title: title ? `${title} (${ticker})` : ticker }, h('b', {}, title ?? ticker), title ? h('span', { class: 'minor' }, ticker) : null);
}
