/** Export of exactly what a list shows, from the server, as a CSV file. */

import { getCsv } from './rest.js';

/** @typedef {{ tickers: string[] | null, from: number, to: number, mode: string | null }} Wanted tickers: null for all */

const SEPARATE = 20; // tickers up to which each is requested alone

/**
 * Return the CSV of the selected entries in the order of seq, and how many there are. Throws Problem or Error.
 * @param {URL} base
 * @param {Wanted} wanted
 */
export async function exportCsv(base, wanted) {
  const separate = wanted.tickers !== null && wanted.tickers.length <= SEPARATE;
  const texts = await Promise.all((separate ? wanted.tickers ?? [] : [null]).map((ticker) => request(base, wanted, ticker)));
  const tables = texts.map(parseCsv);
  const head = tables[0]?.[0];
  if (!head) return { text: '', rows: 0 };
  const column = (/** @type {string} */ name) => head.fields.indexOf(name);
  const [seq, mode, ticker] = [column('seq'), column('mode'), column('ticker')];
  const all = wanted.tickers && new Set(wanted.tickers);
  const rows = tables.flatMap((table) => table.slice(1))
    .filter(({ fields }) => mode < 0 || !wanted.mode || fields[mode] === '' || fields[mode] === wanted.mode)
    .filter(({ fields }) => !all || ticker < 0 || all.has(fields[ticker]))
    .sort((a, b) => Number(a.fields[seq]) - Number(b.fields[seq]));
  return { text: [head, ...rows].map(({ raw }) => `${raw}\r\n`).join(''), rows: rows.length };
}

/**
 * @param {URL} base
 * @param {Wanted} wanted
 * @param {string | null} ticker
 */
async function request(base, { from, to }, ticker) {
  const url = new URL('portfolio/trades/history', base);
  if (Number.isFinite(from)) url.searchParams.set('since', String(from));
  if (Number.isFinite(to)) url.searchParams.set('until', String(to));
  if (ticker) url.searchParams.set('ticker', ticker);
  const text = await getCsv(url);
  if (text === null) throw new Error('This server cannot export CSV.');
  return text;
}

/**
 * Return the records of a CSV text, each with its fields and its raw text.
 * @param {string} text
 * @returns {{ fields: string[], raw: string }[]}
 */
export function parseCsv(text) {
  /** @type {{ fields: string[], raw: string }[]} */
  const records = [];
  /** @type {string[]} */
  let fields = [];
  let [field, quoted, begin] = ['', false, 0];
  const end = (/** @type {number} */ at) => {
    fields.push(field);
    if (fields.length > 1 || field !== '') records.push({ fields, raw: text.slice(begin, at) });
    [fields, field] = [[], ''];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[at + 1] === '"') { field += '"'; at += 1; } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ',') { fields.push(field); field = ''; }
    else if (character === '\n') { end(text[at - 1] === '\r' ? at - 1 : at); begin = at + 1; }
    else if (character !== '\r') field += character;
  }
  if (field !== '' || fields.length > 0) end(text.length);
  return records;
}

/**
 * Hand a text to the browser as a file.
 * @param {string} name
 * @param {string} text
 */
export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
