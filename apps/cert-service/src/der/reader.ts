import { DerError } from './der-error.ts';
import { knownOids } from './oids.ts';
import { describeTag, TAG } from './tags.ts';
import { readTime } from './time.ts';

/** One element: where its header and content lie. `end` is the offset after its last octet. */
export interface DerElement {
  readonly tag: number;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/**
 * Reads DER strictly, front to back: definite lengths in their shortest form, tag numbers below 31, minimal integers.
 * Whatever the octets are, the only thing it throws is {@link DerError} with the offset of the fault.
 */
export class DerReader {
  readonly bytes: Buffer;
  readonly end: number;
  #at: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.end = end;
    this.#at = at;
  }

  get offset(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.end;
  }

  /** The next tag without taking it; `undefined` at the end. */
  peek(): number | undefined {
    return this.#at < this.end ? this.bytes[this.#at] : undefined;
  }

  /** Takes the next element, of this tag if one is named. `what` names it in errors. */
  element(what: string, expected?: number): DerElement {
    const { bytes, end } = this;
    const start = this.#at;
    if (start >= end) throw new DerError(start, `${what} is missing: the structure ends here`);
    const tag = bytes[start]!;
    if (expected !== undefined && tag !== expected) {
      throw new DerError(start, `${what} must be ${describeTag(expected)}, found ${describeTag(tag)}`);
    }
    if ((tag & 0x1f) === 0x1f) throw new DerError(start, `${what} has a multi-octet tag, which nothing here uses`);
    if (start + 1 >= end) throw new DerError(start + 1, `truncated: the length of ${what} is missing`);
    let length = bytes[start + 1]!;
    let contentStart = start + 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) throw new DerError(start + 1, `${what} has an indefinite length, which DER forbids`);
      if (octets > 4) throw new DerError(start + 1, `${what} has a length of ${octets} octets; at most 4 make sense`);
      if (contentStart + octets > end) throw new DerError(contentStart, `truncated: the length of ${what} is cut off`);
      length = bytes.readUIntBE(contentStart, octets);
      if (length < 0x80 || bytes[contentStart] === 0) {
        throw new DerError(start + 1, `the length of ${what} is not in its shortest form, as DER requires`);
      }
      contentStart += octets;
    }
    const after = contentStart + length;
    if (after > end) {
      throw new DerError(start, `truncated: ${what} claims ${length} octets, only ${end - contentStart} are left`);
    }
    this.#at = after;
    return { tag, start, contentStart, end: after };
  }

  /** Enters a constructed element; the outer reader goes on after it. */
  enter(what: string, tag: number = TAG.sequence): DerReader {
    const element = this.element(what, tag);
    return new DerReader(this.bytes, element.contentStart, element.end);
  }

  /** Content octets of a primitive element, as a view. */
  content(what: string, tag: number): Buffer {
    const element = this.element(what, tag);
    return this.bytes.subarray(element.contentStart, element.end);
  }

  /** Header and content of the next element, as a view: what is signed, hashed or copied as it is. */
  raw(what: string, tag?: number): Buffer {
    const element = this.element(what, tag);
    return this.bytes.subarray(element.start, element.end);
  }

  /** Two's complement content octets of an INTEGER in minimal form (X.690 section 8.3.2). */
  integer(what: string): Buffer {
    const start = this.#at;
    const content = this.content(what, TAG.integer);
    if (content.length === 0) throw new DerError(start, `${what} is an INTEGER without content`);
    if (content.length > 1) {
      const [first, second] = [content[0]!, content[1]!];
      if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)) {
        throw new DerError(start, `${what} is an INTEGER with superfluous leading octets`);
      }
    }
    return content;
  }

  /** An INTEGER from 0 to 2^31-1. */
  smallInteger(what: string): number {
    const start = this.#at;
    const content = this.integer(what);
    if (content.length > 4 || content[0]! >= 0x80) throw new DerError(start, `${what} is negative or too large`);
    return content.readUIntBE(0, content.length);
  }

  /** Dotted text of an OBJECT IDENTIFIER. */
  oid(what: string): string {
    const start = this.#at;
    const content = this.content(what, TAG.oid);
    return knownOids.get(content.toString('latin1')) ?? decodeOid(content, start, what);
  }

  /** DER allows 0x00 and 0xff only (X.690 section 11.1). */
  boolean(what: string): boolean {
    const start = this.#at;
    const content = this.content(what, TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      throw new DerError(start, `${what} is a BOOLEAN that is neither 00 nor ff`);
    }
    return content[0] === 0xff;
  }

  /** Octets of a BIT STRING that holds whole octets. */
  bitString(what: string): Buffer {
    const { bits, unused, start } = this.bits(what);
    if (unused !== 0) throw new DerError(start, `${what} must hold whole octets, but has ${unused} unused bits`);
    return bits;
  }

  /** Content of a BIT STRING and its number of unused bits, which must be zero bits (X.690 section 11.2.1). */
  bits(what: string): { bits: Buffer; unused: number; start: number } {
    const start = this.#at;
    const content = this.content(what, TAG.bitString);
    const unused = content[0];
    if (unused === undefined) throw new DerError(start, `${what} is a BIT STRING without content`);
    if (unused > 7 || (unused > 0 && content.length === 1)) {
      throw new DerError(start, `${what} claims ${unused} unused bits`);
    }
    if (unused > 0 && (content[content.length - 1]! & ((1 << unused) - 1)) !== 0) {
      throw new DerError(start, `${what} has unused bits that are not zero`);
    }
    return { bits: content.subarray(1), unused, start };
  }

  /** UTCTime or GeneralizedTime in the forms that RFC 5280 section 4.1.2.5 allows. */
  time(what: string): Date {
    const { tag, start, contentStart, end } = this.element(what);
    return readTime(tag, this.bytes.toString('latin1', contentStart, end), start, what);
  }

  /** Throws where octets are left over. */
  finish(what: string): void {
    if (this.#at < this.end) {
      throw new DerError(this.#at, `${this.end - this.#at} trailing octets after ${what}`);
    }
  }
}

function decodeOid(content: Buffer, start: number, what: string): string {
  if (content.length === 0 || content.length > 64) {
    throw new DerError(start, `${what} is an OBJECT IDENTIFIER of ${content.length} octets; 1 to 64 are allowed`);
  }
  if (content[content.length - 1]! >= 0x80) throw new DerError(start, `${what} ends in the middle of an arc`);
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new DerError(start, `${what} has an arc with a superfluous leading octet`);
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [head = 0n, ...rest] = arcs;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...rest].join('.');
}
