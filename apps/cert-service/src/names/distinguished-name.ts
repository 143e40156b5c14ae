import { DerError, DerReader, OID, TAG, write } from '../der/index.ts';

/** One attribute of a subject. */
export interface NameAttribute {
  /** Short name where RFC 4514 or common use has one (`CN`, `O`, `emailAddress`), else the dotted identifier. */
  readonly type: string;
  readonly value: string;
}

/** A distinguished name: relative names in the order of the certificate, each of one or more attributes. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

interface AttributeRule {
  readonly type: string;
  readonly oid: string;
  /** Upper bound in characters: RFC 5280 appendix A.1. */
  readonly max: number;
  readonly encode: (text: string) => Buffer;
}

const { utf8String, printableString, ia5String } = write;
const rules: readonly AttributeRule[] = [
  { type: 'CN', oid: OID.commonName, max: 64, encode: utf8String },
  { type: 'O', oid: OID.organizationName, max: 64, encode: utf8String },
  { type: 'OU', oid: OID.organizationalUnitName, max: 64, encode: utf8String },
  { type: 'L', oid: OID.localityName, max: 128, encode: utf8String },
  { type: 'ST', oid: OID.stateOrProvinceName, max: 128, encode: utf8String },
  { type: 'STREET', oid: OID.streetAddress, max: 128, encode: utf8String },
  { type: 'C', oid: OID.countryName, max: 2, encode: printableString },
  { type: 'serialNumber', oid: OID.serialNumber, max: 64, encode: printableString },
  { type: 'DC', oid: OID.domainComponent, max: 63, encode: ia5String },
  { type: 'emailAddress', oid: OID.emailAddress, max: 255, encode: ia5String },
];
const byOid = new Map(rules.map((rule) => [rule.oid, rule]));
const byType = new Map(rules.map((rule) => [rule.type, rule]));

/** Attribute types that a subject may have here. */
export const subjectAttributeTypes = rules.map((rule) => rule.type);

/** Reads a Name (RFC 5280 section 4.1.2.4). Throws DerError, also for characters that the string type does not have. */
export function readName(reader: DerReader, what: string): DistinguishedName {
  const sequence = reader.enter(what);
  const name: NameAttribute[][] = [];
  while (!sequence.done) {
    const set = sequence.enter(`a relative name of ${what}`, TAG.set);
    const attributes: NameAttribute[] = [];
    while (!set.done) {
      const at = set.offset;
      const attribute = set.enter(`an attribute of ${what}`);
      const oid = attribute.oid(`an attribute type of ${what}`);
      const rule = byOid.get(oid);
      const type = rule?.type ?? oid;
      const value = readDirectoryString(attribute, `${type} of ${what}`);
      attribute.finish(`the attribute ${type} of ${what}`);
      if (value.length === 0) throw new DerError(at, `${type} of ${what} is empty`);
      if (rule !== undefined && charactersOf(value) > rule.max) {
        throw new DerError(
          at,
          `${type} of ${what} has ${charactersOf(value)} characters; at most ${rule.max} are allowed`,
        );
      }
      attributes.push({ type, value });
    }
    if (attributes.length === 0) throw new DerError(set.offset, `a relative name of ${what} is empty`);
    name.push(attributes);
  }
  return name;
}

/** Bounds of X.520 count characters: code points, not UTF-16 units. */
const charactersOf = (text: string): number => Array.from(text).length;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const utf16 = new TextDecoder('utf-16be', { fatal: true });
// oxlint-disable-next-line no-control-regex -- control characters are what it is to find
const control = /[\0-\x1f\x7f-\x9f]/;

function readDirectoryString(reader: DerReader, what: string): string {
  const { tag, start, contentStart, end } = reader.element(what);
  const bytes = reader.bytes.subarray(contentStart, end);
  const text = decode(tag, bytes);
  if (text === undefined) throw new DerError(start, `${what} is not a string of a known type with valid characters`);
  if (control.test(text)) throw new DerError(start, `${what} has control characters`);
  return text;
}

function decode(tag: number, bytes: Buffer): string | undefined {
  try {
    switch (tag) {
      case TAG.utf8String:
        return utf8.decode(bytes);
      case TAG.printableString: {
        const text = bytes.toString('latin1');
        // "*", "@", "&" and "_" are outside of the type, yet openssl and others write them: they do no harm.
        return /^[A-Za-z0-9 '()+,\-./:=?*@&_]*$/.test(text) ? text : undefined;
      }
      case TAG.ia5String: {
        const text = bytes.toString('latin1');
        return bytes.every((octet) => octet < 0x80) ? text : undefined;
      }
      case TAG.teletexString:
        return bytes.toString('latin1');
      case TAG.bmpString:
        return utf16.decode(bytes);
      default:
        return undefined;
    }
  } catch {
    return undefined; // the fatal decoders throw for octets that are no text in that encoding
  }
}

/** Writes a Name in one form, whatever form it was read in. Throws for attribute types it has no rule for. */
export function encodeName(name: DistinguishedName): Buffer {
  return write.sequence(
    ...name.map((relative) =>
      write.setOf(
        ...relative.map(({ type, value }) => {
          const rule = byType.get(type);
          if (rule === undefined) throw new TypeError(`no encoding is known for the attribute ${type}`);
          return write.sequence(write.oid(rule.oid), rule.encode(value));
        }),
      ),
    ),
  );
}

/** RFC 4514 text: last relative name first, special characters escaped. */
export function nameText(name: DistinguishedName): string {
  return name
    .toReversed()
    .map((relative) => relative.map(({ type, value }) => `${type}=${escape(value)}`).join('+'))
    .join(',');
}

const escape = (value: string): string =>
  value
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
