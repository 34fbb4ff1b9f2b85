/** The API page: openapi.json as something to read and to run, without a request to any other host. */

import { byId, command, h } from './dom.js';
import { curl, listen, requestUrl, run } from './request.js';
import { get } from './rest.js';
import { example, fields, kind } from './schema.js';

const base = new URL('../', import.meta.url);

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {{ name: string, in: string, required?: boolean, description?: string, schema?: Schema }} Parameter */
/** @typedef {{ summary?: string, description?: string, parameters?: Parameter[], responses: Record<string, { description?: string, content?: Record<string, { schema?: Schema }> }>, 'x-events'?: Record<string, Schema> }} Operation */
/** @typedef {{ info: { title: string, version: string, description?: string }, paths: Record<string, Record<string, Operation>>, components?: { schemas?: Record<string, Schema> }, 'x-problems'?: { status: number, type: string, meaning: string }[] }} Description */

/** @param {Description} description */
function show(description) {
  const { info, paths } = description;
  document.title = `API · ${info.title} ${info.version}`;
  byId('lead').textContent = `${info.description ?? info.title}${info.description?.endsWith('.') ? '' : '.'} Version ${info.version}. Errors are application/problem+json. Every request here can be run from this page.`;
  /** @type {Map<string, HTMLElement[]>} */
  const groups = new Map();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (typeof operation !== 'object' || !operation.responses) continue;
      const id = `${method}${path.replaceAll(/[^a-z0-9]+/gi, '-')}`;
      byId('operations').append(card(id, method, path, operation, description.components?.schemas ?? {}));
      const group = path.split('/').length > 2 && !path.startsWith('/health') ? path.split('/')[1] : 'service';
      groups.set(group, [...(groups.get(group) ?? []), h('a', { href: `#${id}` }, path)]);
    }
  }
  byId('operations').append(problems(description['x-problems'] ?? []));
  groups.set('errors', [h('a', { href: '#problems' }, 'problems')]);
  for (const [name, links] of groups) byId('index').append(h('h2', {}, name), ...links);
  if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
}

/**
 * @param {string} id
 * @param {string} method
 * @param {string} path
 * @param {Operation} operation
 * @param {Record<string, Schema>} named
 */
function card(id, method, path, operation, named) {
  const content = operation.responses['200']?.content ?? {};
  const element = h('section', { class: 'operation panel', id, 'data-text': `${path} ${operation.summary} ${operation.description ?? ''}`.toLowerCase() },
    h('h2', {}, h('span', { class: 'verb' }, method.toUpperCase()), h('code', {}, path)),
    operation.summary ? h('p', {}, ...withCode(operation.summary)) : null,
    operation.description && operation.description !== operation.summary ? h('p', {}, ...withCode(operation.description)) : null);
  element.append(runner(path, operation.parameters ?? [], content));
  element.append(h('h3', {}, 'Answers'), h('ul', { class: 'answers' }, ...Object.entries(operation.responses).map(([status, answer]) =>
    h('li', { title: answer.description }, h('b', {}, status), ` ${Object.keys(answer.content ?? {}).filter((media) => !media.includes('problem')).join(', ')}`))));
  const schema = content['application/json']?.schema;
  const inside = fields(schema, named);
  if (inside.length) element.append(details('Fields of the answer', rows(inside)), details('Example', h('pre', { tabindex: '0' }, JSON.stringify(example(schema, named), null, 2))));
  for (const [name, event] of Object.entries(operation['x-events'] ?? {})) {
    element.append(details(`Event ${name}`, h('pre', { tabindex: '0' }, `event: ${name}\ndata: ${JSON.stringify(example(event, named))}`), rows(fields(event, named))));
  }
  return element;
}

/**
 * Return the fields of the parameters, the curl command and a button that runs the request.
 * @param {string} path
 * @param {Parameter[]} parameters
 * @param {Record<string, { schema?: Schema }>} content of the answer
 */
function runner(path, parameters, content) {
  const stream = 'text/event-stream' in content;
  const place = h('div', { class: 'output', 'aria-live': 'polite' });
  const inputs = parameters.map((parameter) => ({ parameter, input: field(parameter) }));
  const commands = h('div', { class: 'commands' });
  const url = () => requestUrl(base.href, path, inputs.map(({ parameter, input }) => ({ name: parameter.name, in: parameter.in, value: input.value.trim() })));
  const update = () => commands.replaceChildren(command(curl(url(), stream)), ...('text/csv' in content ? [command(curl(url(), false, true))] : []));
  for (const { input } of inputs) input.addEventListener('input', update);
  update();
  const button = h('button', { type: 'button' }, stream ? 'Open the stream' : 'Run');
  let close = () => {};
  button.addEventListener('click', () => {
    close();
    if (stream) close = listen(url(), place);
    else void run(url(), place);
  });
  const list = inputs.map(({ parameter, input }) => h('label', {}, h('code', {}, parameter.name + (parameter.required ? ' *' : '')), input,
    h('span', { class: 'minor' }, `${parameter.in}, ${kind(parameter.schema)}. `, ...withCode(parameter.description ?? ''))));
  return h('div', { class: 'runner' }, ...(list.length ? [h('div', { class: 'parameters' }, ...list)] : []), button, commands, place);
}

/** @param {Parameter} parameter */
function field({ name, schema }) {
  if (schema?.enum) return h('select', { 'aria-label': name }, h('option', { value: '' }, 'any'), ...schema.enum.map((each) => h('option', {}, String(each))));
  return h('input', { type: 'text', 'aria-label': name, autocomplete: 'off', spellcheck: 'false' });
}

/**
 * @param {string} title
 * @param {...Node} inside
 */
function details(title, ...inside) {
  return h('details', {}, h('summary', {}, title), ...inside);
}

/**
 * Return the table of problems; their types are the addresses of its lines.
 * @param {{ status: number, type: string, meaning: string }[]} list
 */
function problems(list) {
  return h('section', { class: 'operation panel', id: 'problems', 'data-text': 'problems errors' }, h('h2', {}, 'Problems'),
    h('p', {}, 'Every error is a problem of RFC 9457; its type is one of these.'),
    h('table', {}, h('tbody', {}, ...list.map(({ status, type, meaning }) =>
      h('tr', { id: type.split('#')[1] ?? '' }, h('td', {}, h('code', {}, String(status))), h('td', {}, h('code', {}, type)), h('td', {}, meaning))))));
}

/** @param {string[][]} lines name, kind, meaning */
function rows(lines) {
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Fields' }, h('table', {}, h('tbody', {}, ...lines.map(([name, type, meaning]) =>
    h('tr', {}, h('td', {}, h('code', {}, name)), h('td', {}, h('span', { class: 'kind' }, type)), h('td', {}, ...withCode(meaning)))))));
}

/**
 * Return text whose parts between backticks are code.
 * @param {string} text
 */
function withCode(text) {
  return text.split('`').map((part, index) => (index % 2 ? h('code', {}, part) : part));
}

/** Show only the operations that hold every word of the search. */
function filter() {
  const words = /** @type {HTMLInputElement} */ (byId('search')).value.toLowerCase().split(/\s+/);
  for (const element of document.querySelectorAll('.operation')) {
    const text = `${/** @type {HTMLElement} */ (element).dataset.text} ${element.textContent?.toLowerCase()}`;
    const hidden = !words.every((word) => text.includes(word));
    /** @type {HTMLElement} */ (element).hidden = hidden;
    const link = document.querySelector(`.index a[href="#${element.id}"]`);
    if (link) /** @type {HTMLElement} */ (link).hidden = hidden;
  }
}

/** @type {HTMLAnchorElement} */ (byId('raw')).href = new URL('openapi.json', base).href;
/** @type {HTMLAnchorElement} */ (byId('dashboard')).href = new URL('dashboard', base).href;
byId('search').addEventListener('input', filter);
get(new URL('openapi.json', base)).then(show).catch((error) => {
  byId('lead').textContent = `The description cannot be read: ${error.message} Reload the page to try again.`;
});
