/**
 * Kubernetes' expansion of `$(NAME)` in command, args and env values: a name that is not known stays as it is written,
 * `$$` is one dollar sign, so `$$(NAME)` is never expanded. Source: core/v1 Container, third_party/forked/golang/expansion.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  let out = '';
  let i = 0;
  while (i < text.length) {
    const character = text[i];
    if (character !== '$' || i + 1 >= text.length) {
      out += character;
      i += 1;
      continue;
    }
    const next = text[i + 1];
    if (next === '$') {
      out += '$';
      i += 2;
      continue;
    }
    const end = next === '(' ? text.indexOf(')', i + 2) : -1;
    if (end === -1) {
      // `$x`, or `$(` that never ends: both stay as written.
      out += `$${next}`;
      i += 2;
      continue;
    }
    const name = text.slice(i + 2, end);
    out += lookUp(name) ?? `$(${name})`;
    i = end + 1;
  }
  return out;
}
