const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * JSON as the encoding/json of the Go that kube-eventer is built with writes it: `<`, `>`, `&`, U+2028, U+2029 and control
 * characters escaped as `\u00xx` (backspace and form feed too, before Go 1.22), objects and arrays indented where asked for
 * (`json.MarshalIndent(value, "", " ")`). Objects keep the order of their keys; a Map is an object whose keys may look like
 * numbers, which JavaScript's own objects would put first.
 */
export function goJson(value: unknown, indent = ''): string {
  return write(value, indent, indent === '' ? '' : '\n');
}

function write(value: unknown, indent: string, newline: string): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value))
    return between(
      '[]',
      value.map((one) => write(one, indent, newline + indent)),
      indent,
      newline,
    );
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const colon = indent === '' ? ':' : ': ';
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return between(
    '{}',
    entries.map(([key, one]) => quote(key) + colon + write(one, indent, newline + indent)),
    indent,
    newline,
  );
}

function between(brackets: string, parts: readonly string[], indent: string, newline: string): string {
  if (parts.length === 0) return brackets;
  return brackets[0] + newline + indent + parts.join(`,${newline}${indent}`) + newline + brackets[1];
}

// oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
const ESCAPED = /["\\\u0000-\u001f<>&\u2028\u2029]/g;

function quote(text: string): string {
  const escaped = text
    .toWellFormed()
    .replace(ESCAPED, (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `"${escaped}"`;
}
