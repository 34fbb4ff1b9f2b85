/** JSON Schema in few words: a kind, and the fields of an answer with what they mean. Pure. */

/** @typedef {{ $ref?: string, type?: string | string[], format?: string, enum?: unknown[], const?: unknown, items?: Schema, properties?: Record<string, Schema>, description?: string, allOf?: Schema[], anyOf?: Schema[], oneOf?: Schema[], minimum?: number, maximum?: number, default?: unknown, additionalProperties?: Schema | boolean }} Schema */

const DEEP = 4; // levels of nesting that help; deeper ones are named only

/**
 * @param {Schema | undefined} schema
 * @returns {string}
 */
export function kind(schema) {
  if (!schema) return 'anything';
  if (schema.$ref) return schema.$ref.split('/').pop() ?? '';
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(kind).join(' or ');
  if (schema.allOf) return schema.allOf.map(kind).join(' and ');
  const type = [schema.type ?? 'anything'].flat().join(' or ');
  const range = schema.minimum !== undefined && schema.maximum !== undefined ? ` ${schema.minimum} to ${schema.maximum}` : '';
  return schema.items ? `list of ${kind(schema.items)}` : `${type}${range}${schema.default === undefined ? '' : `, ${schema.default} unless said`}`;
}

/**
 * Name, kind and meaning of each field, those inside others after them.
 * @param {Schema | undefined} schema
 * @param {Record<string, Schema>} named what a $ref may point to
 * @returns {[string, string, string][]}
 */
export function fields(schema, named, prefix = '', depth = 0) {
  const plain = resolved(schema, named);
  if (!plain || depth > DEEP) return [];
  if (plain.items) return fields(plain.items, named, `${prefix}[].`.replace('.[]', '[]'), depth + 1);
  const parts = [...(plain.allOf ?? []), ...(plain.anyOf ?? []), ...(plain.oneOf ?? [])].flatMap((part) => fields(part, named, prefix, depth + 1));
  return parts.concat(Object.entries(plain.properties ?? {}).flatMap(([name, inner]) => {
    /** @type {[string, string, string]} */
    const own = [prefix + name, kind(inner), inner.description ?? resolved(inner, named)?.description ?? ''];
    return [own, ...fields(inner, named, `${prefix}${name}.`, depth + 1)];
  }));
}

/**
 * @param {Schema | undefined} schema
 * @param {Record<string, Schema>} named
 */
function resolved(schema, named) {
  return schema?.$ref ? named[schema.$ref.split('/').pop() ?? ''] : schema;
}
