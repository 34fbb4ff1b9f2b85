/** The API page: openapi.json as something to read, made here and from nobody else's server. */

import { byId, h } from './dom.js';
import { get } from './rest.js';
import { fields, kind } from './schema.js';

const base = new URL('../', import.meta.url);

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {{ name: string, in: string, required?: boolean, description?: string, schema?: Schema }} Parameter */
/** @typedef {{ summary?: string, description?: string, tags?: string[], parameters?: Parameter[], responses: Record<string, { description?: string, content?: Record<string, { schema?: Schema }> }> }} Operation */
/** @typedef {{ info: { title: string, version: string, description?: string }, paths: Record<string, Record<string, Operation>>, components?: { schemas?: Record<string, Schema> }, 'x-problems'?: { status: number, type: string, meaning: string }[] }} Description */

/** @param {Description} description */
function show(description) {
  const { info, paths } = description;
  document.title = `API · ${info.title} ${info.version}`;
  byId('lead').textContent = `${info.description ?? info.title}${info.description?.endsWith('.') ? '' : '.'} Version ${info.version}. Errors are application/problem+json.`;
  /** @type {Map<string, HTMLElement[]>} */
  const groups = new Map();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (typeof operation !== 'object' || !operation.responses) continue;
      const id = `${method}${path.replaceAll(/[^a-z0-9]+/gi, '-')}`;
      byId('operations').append(card(id, method, path, operation, description.components?.schemas ?? {}));
      const group = path.split('/').length > 2 && !path.startsWith('/health') ? path.split('/')[1] : 'service';
      const links = groups.get(group) ?? [];
      groups.set(group, [...links, h('a', { href: `#${id}` }, path)]);
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
  const element = h('section', { class: 'operation panel', id },
    h('h2', {}, h('span', { class: 'verb' }, method.toUpperCase()), h('code', {}, path)),
    operation.summary ? h('p', {}, ...coded(operation.summary)) : null,
    operation.description && operation.description !== operation.summary ? h('p', {}, ...coded(operation.description)) : null);
  if (operation.parameters?.length) {
    element.append(h('h3', {}, 'Parameters'), rows(operation.parameters.map((each) =>
      [each.name + (each.required ? ' *' : ''), `${each.in}, ${kind(each.schema)}`, each.description ?? ''])));
  }
  element.append(h('h3', {}, 'Answers'), h('ul', { class: 'answers' }, ...Object.entries(operation.responses).map(([status, answer]) =>
    h('li', { title: answer.description }, h('b', {}, status), ` ${Object.keys(answer.content ?? {}).filter((media) => !media.includes('problem')).join(', ')}`))));
  const schema = Object.values(operation.responses['200']?.content ?? {})[0]?.schema;
  const inside = fields(schema, named);
  if (inside.length) element.append(h('details', {}, h('summary', {}, 'What the answer holds'), rows(inside)));
  return element;
}

/**
 * What each type of problem means; the types are the addresses of these lines.
 * @param {{ status: number, type: string, meaning: string }[]} known
 */
function problems(known) {
  return h('section', { class: 'operation panel', id: 'problems' }, h('h2', {}, 'Problems'),
    h('p', {}, 'Every error is a problem of RFC 9457; its type is one of these.'),
    h('table', {}, h('tbody', {}, ...known.map(({ status, type, meaning }) =>
      h('tr', { id: type.split('#')[1] ?? '' }, h('td', {}, h('code', {}, String(status))), h('td', {}, h('code', {}, type)), h('td', {}, meaning))))));
}

/** @param {string[][]} lines name, kind, meaning */
function rows(lines) {
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Fields' }, h('table', {}, h('tbody', {}, ...lines.map(([name, type, meaning]) =>
    h('tr', {}, h('td', {}, h('code', {}, name)), h('td', {}, h('span', { class: 'kind' }, type)), h('td', {}, ...coded(meaning)))))));
}

/**
 * What stands between backticks is code.
 * @param {string} text
 */
function coded(text) {
  return text.split('`').map((part, index) => (index % 2 ? h('code', {}, part) : part));
}

/** @type {HTMLAnchorElement} */ (byId('raw')).href = new URL('openapi.json', base).href;
/** @type {HTMLAnchorElement} */ (byId('dashboard')).href = new URL('dashboard', base).href;
get(new URL('openapi.json', base)).then(show).catch((error) => {
  byId('lead').textContent = `The description cannot be read: ${error.message} Reload the page to try again.`;
});
