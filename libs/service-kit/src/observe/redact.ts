const SECRET_KEY =
  /^(?:authorization|(?:set-)?cookie|.*(?:token|password|passphrase|secret|(?:private|api|encryption)[-_]?key))$/i;

const CENSOR = '[redacted]';

/** Deeper than anything that is logged; bounds what contains itself. */
const DEPTH = 10;

/**
 * The fields of a log entry without what is never written to a log, wherever it stands: values whose key says that they
 * are secret. Objects of a class are left as they are; what they become when written is not theirs to hide.
 */
export function redactFields<T>(fields: T, depth = 0): T {
  if (typeof fields !== 'object' || fields === null || depth > DEPTH) return fields;
  if (Array.isArray(fields)) return fields.map((item: unknown) => redactFields(item, depth + 1)) as T;
  const prototype: unknown = Object.getPrototypeOf(fields);
  if (prototype !== Object.prototype && prototype !== null) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      SECRET_KEY.test(key) && value !== undefined ? CENSOR : redactFields(value as unknown, depth + 1),
    ]),
  ) as T;
}

/** User information of a URL, RFC 3986 section 3.2.1: what follows the first colon is the password. */
const PASSWORD = /(:\/\/[^\s"'/?#@:]*):[^\s"'/?#@]*@/g;

/** A text without the passwords of the URLs in it: texts of errors, of which nobody knows what they quote. */
export const redactUrls = (text: string): string =>
  text.includes('://') ? text.replaceAll(PASSWORD, `$1:${CENSOR}@`) : text;
