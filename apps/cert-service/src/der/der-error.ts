/**
 * The bytes are not the DER they should be. `offset` counts from the first byte of the outermost structure, so that it
 * can be held against `openssl asn1parse`, which prints the same offsets.
 */
export class DerError extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(`byte ${offset}: ${message}`);
    this.name = 'DerError';
    this.offset = offset;
  }
}
