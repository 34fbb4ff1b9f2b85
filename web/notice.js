/** A tone or a count in the title when a trade arrives; both off until asked for, and remembered. */

import { at } from './dom.js';

export class Notice {
  constructor() {
    this.unseen = 0;
    this.title = document.title;
    /** @type {AudioContext | null} */
    this.audio = null;
    this.rang = 0;
    for (const name of ['sound', 'notice']) this.#button(name);
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.#count(0); });
  }

  /** @param {number} trades */
  tell(trades) {
    if (this.#isOn('notice') && document.hidden) this.#count(this.unseen + trades);
    if (this.#isOn('sound') && performance.now() - this.rang > 400) this.#ring();
  }

  /** @param {string} name */
  #isOn(name) {
    return at(name).getAttribute('aria-pressed') === 'true';
  }

  /** @param {string} name */
  #button(name) {
    const button = at(name);
    try { button.setAttribute('aria-pressed', localStorage.getItem(name) ?? 'false'); } catch { /* storage may be forbidden: off, then */ }
    button.addEventListener('click', () => {
      const on = String(!this.#isOn(name));
      button.setAttribute('aria-pressed', on);
      try { localStorage.setItem(name, on); } catch { /* kept for this page only */ }
      if (name === 'sound' && on === 'true') this.#ring(); // also what lets the browser play later
    });
  }

  /** @param {number} unseen */
  #count(unseen) {
    this.unseen = unseen;
    document.title = unseen ? `(${unseen}) ${this.title}` : this.title;
  }

  #ring() {
    this.rang = performance.now();
    this.audio ??= new AudioContext();
    const [tone, volume, now] = [this.audio.createOscillator(), this.audio.createGain(), this.audio.currentTime];
    tone.frequency.setValueAtTime(660, now);
    tone.frequency.setValueAtTime(880, now + 0.07);
    volume.gain.setValueAtTime(0.06, now);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + 0.22);
    tone.connect(volume).connect(this.audio.destination);
    tone.start(now);
    tone.stop(now + 0.24);
  }
}
