// Find text that leaves its place, views wider than the window, and different markets that read alike.
const found = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} px wide in ${root.clientWidth}`);
const visible = (element) => element.offsetParent !== null && element.getClientRects().length > 0;
for (const cell of document.querySelectorAll('main .td, main .figure .number, main dd, .views a, .pill')) {
  if (!visible(cell) || cell.classList.contains('market')) continue;
  const hides = getComputedStyle(cell).textOverflow === 'ellipsis' || cell.querySelector('.text, .command');
  if (!hides && cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0) found.push(`${cell.className}: ${cell.textContent} needs ${cell.scrollWidth} px of ${cell.clientWidth}`);
}
const cut = (element) => {
  const [need, room] = [element.scrollWidth, element.clientWidth];
  const text = element.textContent;
  if (need <= room + 1) return text;
  const kept = Math.max(0, Math.floor((text.length * room) / need) - 1);
  return element.matches('.ticker') ? text.slice(text.length - kept) : text.slice(0, kept); // tickers lose their beginning
};
for (const table of document.querySelectorAll('main .scroller')) {
  if (!visible(table)) continue;
  if (table.clientHeight > Math.max(innerHeight, 500)) found.push(`a table is ${table.clientHeight} px high: all of its rows exist`);
  const seen = new Map();
  for (const cell of table.querySelectorAll('.tbody .td.market')) {
    const parts = [...cell.querySelectorAll('b, .ticker')];
    const link = cell.querySelector('a');
    if (!link) continue;
    const text = parts.map(cut).join(' ').trim();
    const ticker = link.getAttribute('href');
    if (seen.has(text) && seen.get(text) !== ticker) found.push(`two markets read "${text}": ${seen.get(text)} and ${ticker}`);
    if (!cut(parts[0])) found.push(`a market without a name: ${ticker}`);
    seen.set(text, ticker);
  }
}
for (const chart of document.querySelectorAll('main .chart svg')) {
  const box = chart.getBoundingClientRect();
  for (const text of chart.querySelectorAll('text')) {
    const inner = text.getBoundingClientRect();
    if (inner.width && (inner.left < box.left - 2 || inner.right > box.right + 2 || inner.bottom > box.bottom + 2)) found.push(`a label leaves the chart: ${text.textContent}`);
  }
}
return found.slice(0, 6).join(' | ');
