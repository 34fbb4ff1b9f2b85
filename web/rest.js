/** Reading from the server: an answer, or a Problem that says what is wrong. */

const LIMIT = 15_000; // milliseconds an answer may take

export class Problem extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 when the server could not be reached
   * @param {number} retry seconds after which to try again, as far as the server says
   */
  constructor(message, status = 0, retry = 0) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.retry = retry;
  }
}

/**
 * Return an answer as JSON. Throws Problem.
 * @param {string | URL} url
 * @param {number} [limit] milliseconds
 * @returns {Promise<any>}
 */
export function get(url, limit = LIMIT) {
  return read(url, 'application/json', limit, (response) => response.json());
}

/**
 * Return a CSV answer as text, null when the server has no CSV of it. Throws Problem.
 * @param {string | URL} url
 * @param {number} [limit] milliseconds
 * @returns {Promise<string | null>}
 */
export function getCsv(url, limit = 120_000) {
  return read(url, 'text/csv', limit, async (response) =>
    (response.headers.get('Content-Type')?.startsWith('text/csv') ? response.text() : null));
}

/**
 * @template T
 * @param {string | URL} url
 * @param {string} accept
 * @param {number} limit
 * @param {(response: Response) => Promise<T>} body
 * @returns {Promise<T>}
 */
async function read(url, accept, limit, body) {
  const signal = AbortSignal.timeout(limit);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { headers: { Accept: accept }, signal });
    if (response.ok) return await body(response);
  } catch (error) {
    if (signal.aborted) throw new Problem(`The server did not answer within ${limit / 1000} s.`);
    throw new Problem(`The server cannot be reached (${/** @type {Error} */ (error).message}).`);
  }
  throw await problem(response);
}

/** @param {Response} response */
async function problem(response) {
  const body = await response.json().catch(() => ({})); // a proxy's error page is not JSON and adds nothing to its status
  const message = body.detail || body.title || `The server answered ${response.status}.`;
  return new Problem(message, response.status, Number(response.headers.get('Retry-After')) || 0);
}
