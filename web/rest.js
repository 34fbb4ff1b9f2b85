/** Reading JSON from the server: an answer, or a Problem that says what is wrong and what to do. */

const LIMIT = 15_000; // milliseconds an answer may take

export class Problem extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 when the server could not be reached
   * @param {number} retry seconds after which to ask again, as far as the server says
   */
  constructor(message, status = 0, retry = 0) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.retry = retry;
  }
}

/**
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(url, signal) {
  const limit = AbortSignal.timeout(LIMIT);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { headers: { Accept: 'application/json' }, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    if (response.ok) return await response.json();
  } catch (error) {
    throw new Problem(limit.aborted ? 'The server did not answer in time.' : `The server cannot be reached (${/** @type {Error} */ (error).message}).`);
  }
  throw await problem(response);
}

/** @param {Response} response */
async function problem(response) {
  const body = await response.json().catch(() => ({})); // a proxy's own error page is no JSON, and says no more than its status
  const message = body.detail || body.title || `The server answered ${response.status}.`;
  return new Problem(message, response.status, Number(response.headers.get('Retry-After')) || 0);
}
