/** Identifier octets that X.509, PKCS #10 and CRLs use (X.690 section 8.1.2); all have tag numbers below 31. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const names = new Map<number, string>(Object.entries(TAG).map(([name, tag]) => [tag, name]));

/** A tag for people: its name, or the class and number: `[0] constructed`, `0x45`. */
export function describeTag(tag: number): string {
  const known = names.get(tag);
  if (known !== undefined) return known;
  if ((tag & 0xc0) === 0x80) return `[${tag & 0x1f}]${(tag & 0x20) === 0 ? '' : ' constructed'}`;
  return `tag 0x${tag.toString(16).padStart(2, '0')}`;
}
