/** Pointer and keys of a table: rows stay as they are between press and release, and keys move between their links. */

const LONGEST = 3000; // milliseconds for which a press holds the rows; its release may happen outside of the page
const STEPS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });

export class TableInput {
  /**
   * @param {HTMLElement} scroller
   * @param {() => void} released draws what changed during a press
   */
  constructor(scroller, released) {
    this.scroller = scroller;
    this.pressed = -Infinity;
    scroller.addEventListener('pointerdown', (event) => {
      if (/** @type {Element} */ (event.target).closest('a, button')) this.pressed = performance.now();
    });
    for (const name of ['pointerup', 'pointercancel']) {
      window.addEventListener(name, () => {
        if (!this.pressing) return;
        this.pressed = -Infinity;
        released(); // in the next frame: the click comes right after the release
      });
    }
    scroller.addEventListener('keydown', (event) => { if (this.#press(event)) event.preventDefault(); });
  }

  /** A link or a button of the table is pressed: a change of the rows would turn the click to another one. */
  get pressing() {
    return performance.now() - this.pressed < LONGEST;
  }

  /** @param {KeyboardEvent} event */
  #press({ key, target, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey) return false;
    if (target === this.scroller) return key === 'Enter' && this.#focus(this.#links()[0]);
    const row = /** @type {Element} */ (target).closest('.tbody .tr');
    if (!row) return false;
    if (key === 'Escape') return this.#focus(this.scroller);
    const step = STEPS[key];
    return step !== undefined && this.#focus(this.#next(Number(row.getAttribute('aria-rowindex')), step));
  }

  /** @param {number} index @param {number} step */
  #next(index, step) {
    const links = this.#links(step < 0 ? -Infinity : index + 1, step < 0 ? index - 1 : Infinity);
    return step < 0 ? links[links.length - 1] : links[0];
  }

  /**
   * Return the links of rows in their order, from the first visible row on unless a range of rows is given.
   * @param {number} [from]
   * @param {number} [to]
   */
  #links(from = -1, to = Infinity) {
    const top = this.scroller.getBoundingClientRect().top;
    return [...this.scroller.querySelectorAll('.tbody .tr')]
      .filter((row) => (from === -1 ? row.getBoundingClientRect().top > top : indexOf(row) >= from && indexOf(row) <= to))
      .sort((a, b) => indexOf(a) - indexOf(b))
      .map((row) => row.querySelector('a')).filter((link) => link !== null);
  }

  /** @param {HTMLElement | undefined} element */
  #focus(element) {
    if (!element) return false;
    element.focus({ preventScroll: true });
    if (element !== this.scroller) this.#reveal(/** @type {HTMLElement} */ (element.closest('.tr')));
    return true;
  }

  /** @param {HTMLElement} row scrolled into view below the headings */
  #reveal(row) {
    const [box, view] = [row.getBoundingClientRect(), this.scroller.getBoundingClientRect()];
    const head = this.scroller.querySelector('.thead')?.clientHeight ?? 0;
    if (box.top < view.top + head) this.scroller.scrollTop -= view.top + head - box.top;
    else if (box.bottom > view.bottom) this.scroller.scrollTop += box.bottom - view.bottom;
  }
}

/** @param {Element} row */
function indexOf(row) {
  return Number(row.getAttribute('aria-rowindex'));
}
