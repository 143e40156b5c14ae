/** What a text says as JSON, or why it says nothing. */
export function payloadOf(text: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, reason: `This is no JSON: ${(error as Error).message}` };
  }
}

/** JSON as a person reads it; other text as it is, since it may be parked for just that. */
export function pretty(text: string): string {
  const payload = payloadOf(text);
  return payload.ok ? JSON.stringify(payload.value, undefined, 2) : text;
}

/** Whether the text is the whole body of a message, and not what was cut off it to be shown. */
export const isWhole = (text: string, bytes: number): boolean => new TextEncoder().encode(text).length === bytes;
