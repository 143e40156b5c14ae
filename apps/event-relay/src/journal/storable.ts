/** Escapes that JSON.stringify gives to what PostgreSQL refuses: U+0000, and halves of surrogate pairs. */
const SUSPECT = /\\u0000|\\ud[89a-f]/;

/**
 * A value as PostgreSQL can hold it in text and jsonb: U+0000 and lone surrogates become U+FFFD. (Kubernetes takes U+0000 in
 * a message, so one such Event would else stop the journal.) PostgreSQL manual, 8.14.
 */
export function storable<T>(value: T): T {
  return SUSPECT.test(JSON.stringify(value) ?? '') ? (clean(value) as T) : value;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [clean(key), clean(one)]));
}
