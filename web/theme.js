/** Light or dark before the first paint: as the system prefers, unless the user has chosen. A plain script, not a module. */

(() => {
  const root = document.documentElement;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const stored = () => {
    try { return localStorage.getItem('theme'); } catch { return null; } // storage may be forbidden; the system decides then
  };
  let chosen = stored();
  const show = () => {
    root.dataset.theme = chosen ?? (dark.matches ? 'dark' : 'light');
    const button = document.getElementById('theme');
    if (button) button.textContent = root.dataset.theme === 'dark' ? 'Light' : 'Dark';
  };
  show();
  dark.addEventListener('change', show);
  document.addEventListener('DOMContentLoaded', () => {
    show();
    document.getElementById('theme')?.addEventListener('click', () => {
      chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
      try { localStorage.setItem('theme', chosen); } catch { /* kept for this page only */ }
      show();
    });
  });
})();
