import { oidContent } from './oids.ts';
import { TAG } from './tags.ts';
import { timeText } from './time.ts';

/**
 * Writes DER: each function returns a whole element. What does not change from one certificate to the next is written
 * once and kept (see issuance/profile.ts), which leaves a handful of small concatenations for each signature.
 */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6;
  const out = Buffer.allocUnsafe(header + length);
  out[0] = tag;
  if (header === 2) out[1] = length;
  else {
    out[1] = 0x80 | (header - 2);
    out.writeUIntBE(length, 2, header - 2);
  }
  let at = header;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...parts);

/** SET OF: DER wants the elements in ascending order of their encodings (X.690 section 11.6). */
export const setOf = (...parts: readonly Buffer[]): Buffer =>
  der(TAG.set, ...(parts.length < 2 ? parts : parts.toSorted((left, right) => left.compare(right))));

/** `[n] EXPLICIT`, or `[n] IMPLICIT` of something constructed. */
export const tagged = (number: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 | number, ...parts);

/** `[n] IMPLICIT` of something primitive. */
export const implicit = (number: number, content: Uint8Array): Buffer => der(0x80 | number, content);

export const oid = (dotted: string): Buffer => der(TAG.oid, oidContent(dotted));

export const octetString = (...content: readonly Uint8Array[]): Buffer => der(TAG.octetString, ...content);

const noUnusedBits = Buffer.from([0]);
/** BIT STRING of whole octets. */
export const bitString = (content: Uint8Array): Buffer => der(TAG.bitString, noUnusedBits, content);

/** BIT STRING of named bits, bit 0 the highest of the first octet, trailing zero bits cut off (X.690 section 11.2.2). */
export function namedBits(...set: readonly number[]): Buffer {
  const highest = Math.max(-1, ...set);
  const content = Buffer.alloc(1 + Math.ceil((highest + 1) / 8));
  for (const bit of set) content[1 + (bit >> 3)]! |= 0x80 >> (bit & 7);
  content[0] = highest < 0 ? 0 : 7 - (highest & 7);
  return der(TAG.bitString, content);
}

export const derTrue = der(TAG.boolean, Buffer.from([0xff]));
export const derNull = der(TAG.null);

const zero = Buffer.from([0]);
/** A non-negative INTEGER from big-endian octets: leading zeros cut, one added where the highest bit is set. */
export function unsignedInteger(magnitude: Uint8Array): Buffer {
  let from = 0;
  while (from < magnitude.length - 1 && magnitude[from] === 0) from++;
  const rest = magnitude.subarray(from);
  if (rest.length === 0) return der(TAG.integer, zero);
  return rest[0]! >= 0x80 ? der(TAG.integer, zero, rest) : der(TAG.integer, rest);
}

/** A non-negative INTEGER up to 2^53-1. */
export function integer(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${value} is no INTEGER that can be written here`);
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(BigInt(value));
  return unsignedInteger(octets);
}

export const enumerated = (value: number): Buffer => der(TAG.enumerated, Buffer.from([value]));

export const utf8String = (text: string): Buffer => der(TAG.utf8String, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Buffer => der(TAG.printableString, Buffer.from(text, 'latin1'));
export const ia5String = (text: string): Buffer => der(TAG.ia5String, Buffer.from(text, 'latin1'));

export function time(at: Date): Buffer {
  const { tag, text } = timeText(at);
  return der(tag, Buffer.from(text, 'latin1'));
}
