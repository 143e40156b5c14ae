/**
 * JSON as Go's encoding/json writes it, which kube-eventer's consumers parse byte for byte: `<`, `>`, `&`, U+2028 and
 * U+2029 escaped inside strings, indentation by one space where asked for (`json.MarshalIndent(event, "", " ")`).
 */
export function goJson(value: unknown, indent = ''): string {
  const text = JSON.stringify(value, undefined, indent);
  // These five only ever stand inside of strings in JSON.
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
