/** Entries as a CSV file, exact and safe to open in a spreadsheet. */

const FIELDS = /** @type {const} */ (['seq', 'time', 'timestamp', 'kind', 'ticker', 'side', 'outcome', 'quantity', 'price', 'fee', 'result', 'value', 'revenue', 'trade_id', 'order_id', 'origin', 'mode', 'source']);

/**
 * @param {readonly import('./types').Entry[]} entries
 */
export function csv(entries) {
  const lines = entries.map((entry) => {
    const kind = 'trade_id' in entry ? 'trade' : 'result' in entry ? 'settlement' : 'why' in entry ? 'gap' : 'baseline';
    /** @type {Record<string, unknown>} */
    const row = { ...entry, kind, time: new Date(entry.timestamp * 1000).toISOString() };
    return FIELDS.map((field) => quoted(row[field])).join(',');
  });
  return `${[FIELDS.join(','), ...lines].join('\r\n')}\r\n`;
}

/** @param {unknown} value */
function quoted(value) {
  if (value === null || value === undefined) return '';
  const text = String(value);
  // A spreadsheet takes text that begins so for a formula; numbers are ours and may begin with a minus.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Hand a text to the reader as a file.
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
