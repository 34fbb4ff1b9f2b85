/** Copying text with the full value of numbers that are shown compact. */

/** Put the full values into what is copied; call once for a page. */
export function copyFullValues() {
  document.addEventListener('copy', (event) => {
    const selection = document.getSelection();
    if (!selection || selection.rangeCount === 0 || !event.clipboardData) return;
    const fragment = selection.getRangeAt(0).cloneContents();
    const compact = fragment.querySelectorAll('[data-full]');
    const anchor = selection.anchorNode instanceof Element ? selection.anchorNode : selection.anchorNode?.parentElement;
    const own = anchor?.closest('[data-full]') ?? null;
    if (compact.length === 0 && !own) return;
    for (const element of compact) element.textContent = element.getAttribute('data-full');
    const text = compact.length === 0 && own ? own.getAttribute('data-full') ?? '' : plainText(fragment);
    event.clipboardData.setData('text/plain', text);
    event.preventDefault();
  });
}

/** @param {DocumentFragment} fragment */
function plainText(fragment) {
  const rows = [...fragment.querySelectorAll('[role="row"]')];
  if (rows.length === 0) return fragment.textContent ?? '';
  rows.sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex'))); // elements of rows are used again
  return rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '').join('\t')).join('\n');
}
