/** The address of a view: `#/trades?ticker=A&sort=-price`. What is in it survives a reload and can be shared. */

/** @typedef {Record<string, string>} Parameters */

export const VIEWS = /** @type {const} */ (['overview', 'trades', 'positions', 'orders', 'performance', 'money', 'markets', 'service']);
/** @typedef {typeof VIEWS[number]} View */

/**
 * Return the view and parameters in a hash; null when it names no view.
 * @param {string} hash
 * @returns {{ view: View, parameters: Parameters } | null}
 */
export function parseAddress(hash) {
  const found = /^#\/([a-z]+)(?:\?(.*))?$/.exec(hash);
  const view = VIEWS.find((each) => each === found?.[1]);
  return view ? { view, parameters: Object.fromEntries(new URLSearchParams(found?.[2] ?? '')) } : null;
}

/**
 * Return the hash of a view; empty parameters are left out.
 * @param {View} view
 * @param {Parameters} [parameters]
 */
export function address(view, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString();
  return `#/${view}${query ? `?${query}` : ''}`;
}

export class Router {
  /** @param {(view: View, parameters: Parameters) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {View} */
    this.view = 'overview';
    /** @type {Parameters} */
    this.parameters = {};
    this.started = false;
    window.addEventListener('hashchange', () => this.read());
  }

  /** Read the address of the page; a hash that names no view (a skip link) changes nothing. */
  read() {
    const found = parseAddress(location.hash);
    if (!found && location.hash.length > 1 && this.started) return;
    this.started = true;
    ({ view: this.view, parameters: this.parameters } = found ?? { view: /** @type {View} */ ('overview'), parameters: {} });
    this.changed(this.view, this.parameters);
  }

  /** @param {View} view @param {Parameters} [parameters] */
  go(view, parameters = {}) {
    location.hash = address(view, parameters);
  }

  /**
   * Change parameters of the current view without a new step in the browser's history; empty ones are removed.
   * @param {Parameters} parameters
   */
  set(parameters) {
    const merged = { ...this.parameters, ...parameters };
    history.replaceState(null, '', address(this.view, merged));
    this.parameters = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
    this.changed(this.view, this.parameters);
  }
}
