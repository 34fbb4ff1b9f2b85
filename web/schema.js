/** JSON Schema as text: a kind, the fields of a body with their meaning, and an example. */

/** @typedef {{ $ref?: string, type?: string | string[], format?: string, enum?: unknown[], const?: unknown, items?: Schema, properties?: Record<string, Schema>, description?: string, allOf?: Schema[], anyOf?: Schema[], oneOf?: Schema[], minimum?: number, maximum?: number, default?: unknown, example?: unknown, additionalProperties?: Schema | boolean }} Schema */

const DEEPEST = 4; // levels of nesting that are listed

/** Values for fields and named types, so that an example looks like an answer. */
const EXAMPLES = /** @type {Record<string, unknown>} */ ({
  Time: 1698676800.123, Dollars: 0.65, Contracts: 50, Cursor: 'ndnmjvxj-1042', Source: 'bot_live', seq: 1042, corrects: 1040, ticker: 'PRES24-GOP', event_ticker: 'PRES24', trade_id: 'abc123',
  order_id: '7d406ccb', fill_id: 'f7ae6041', title: 'Who will win?', yes_title: 'Republican', no_title: 'Republican', count: 1, currency: 'USD', status: 'online', reason: 'daily loss', result: 'yes', name: 'Prediction Investor', version: '0.2.0',
});

/**
 * Return the kind of a value in a few words.
 * @param {Schema | undefined} schema
 * @returns {string}
 */
export function kind(schema) {
  if (!schema) return 'anything';
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(kind).join(' or ');
  if (schema.allOf) return schema.allOf.map(kind).join(' and ');
  const type = [schema.type ?? 'anything'].flat().join(' or ');
  const range = schema.minimum !== undefined && schema.maximum !== undefined ? ` ${schema.minimum} to ${schema.maximum}` : '';
  return schema.items ? `list of ${kind(schema.items)}` : `${type}${range}${schema.default === undefined ? '' : `, ${schema.default} by default`}`;
}

/**
 * Return name, kind and meaning of each field; fields of nested objects follow theirs.
 * @param {Schema | undefined} schema
 * @param {Record<string, Schema>} named the schemas that a $ref may point to
 * @returns {[string, string, string][]}
 */
export function fields(schema, named, prefix = '', depth = 0) {
  const plain = resolve(schema, named);
  if (!plain || depth > DEEPEST) return [];
  if (plain.items) return fields(plain.items, named, `${prefix}[].`.replace('.[]', '[]'), depth + 1);
  const parts = [...(plain.allOf ?? []), ...(plain.anyOf ?? []), ...(plain.oneOf ?? [])].flatMap((part) => fields(part, named, prefix, depth + 1));
  return parts.concat(Object.entries(plain.properties ?? {}).flatMap(([name, inner]) => {
    /** @type {[string, string, string]} */
    const own = [prefix + name, kind(inner), inner.description ?? resolve(inner, named)?.description ?? ''];
    return [own, ...fields(inner, named, `${prefix}${name}.`, depth + 1)];
  }));
}

/**
 * Return an example of a body: one item of each list, the first of several forms.
 * @param {Schema | undefined} schema
 * @param {Record<string, Schema>} named
 * @param {string} [name] of the field
 * @returns {unknown}
 */
export function example(schema, named, name = '', depth = 0) {
  if (!schema || depth > DEEPEST * 2) return null;
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) return EXAMPLES[nameOf(schema.$ref)] ?? example(named[nameOf(schema.$ref)], named, name, depth + 1);
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => example(part, named, name, depth + 1)));
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return example(either[0], named, name, depth + 1);
  if (schema.items) return [example(schema.items, named, name, depth + 1)];
  if (schema.properties) return Object.fromEntries(Object.entries(schema.properties).map(([field, inner]) => [field, example(inner, named, field, depth + 1)]));
  return plainExample(schema, named, name, depth);
}

/**
 * @param {Schema} schema
 * @param {Record<string, Schema>} named
 * @param {string} name
 * @param {number} depth
 */
function plainExample(schema, named, name, depth) {
  if (name in EXAMPLES) return EXAMPLES[name];
  const type = [schema.type ?? 'string'].flat()[0];
  if (type === 'object') return typeof schema.additionalProperties === 'object' ? { name: example(schema.additionalProperties, named, '', depth + 1) } : {};
  return { number: 1.5, integer: 1, boolean: false, null: null, array: [] }[type] ?? (name || 'text');
}

/**
 * @param {Schema | undefined} schema
 * @param {Record<string, Schema>} named
 */
function resolve(schema, named) {
  return schema?.$ref ? named[nameOf(schema.$ref)] : schema;
}

/** @param {string} reference */
function nameOf(reference) {
  return reference.split('/').pop() ?? '';
}
