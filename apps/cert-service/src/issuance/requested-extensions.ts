import { DerError, DerReader, describeTag, OID, TAG } from '../der/index.ts';
import { ipText } from '../names/index.ts';

/** What a request asks for in its extensionRequest attribute (RFC 2985 section 5.4.2). */
export interface RequestedExtensions {
  /** As they stand in the request, not normalised yet. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  /** The request asks to become a certificate authority. */
  readonly ca: boolean;
  /** Critical extensions that nobody here understands, by identifier. */
  readonly unknownCritical: readonly string[];
}

/** More names than any certificate needs; bounds the work that one request can cause. */
const MAX_NAMES = 100;

/** Understood, and decided by the profile whatever the request says. */
const decidedByProfile: ReadonlySet<string> = new Set([OID.keyUsage, OID.extKeyUsage, OID.subjectKeyIdentifier]);

/** Reads `attributes [0]` of a request. Throws DerError, for alternative names of an unsupported kind too. */
export function readRequestedExtensions(info: DerReader): RequestedExtensions {
  let found: RequestedExtensions | undefined;
  if (!info.done) {
    const attributes = info.enter('the attributes', 0xa0);
    while (!attributes.done) {
      const attribute = attributes.enter('an attribute');
      const at = attribute.offset;
      const type = attribute.oid('an attribute type');
      const values = attribute.enter(`the values of attribute ${type}`, TAG.set);
      attribute.finish('the attribute');
      if (type !== OID.extensionRequest) {
        // Others carry nothing for the certificate (challengePassword, unstructuredName); still, they must be DER.
        while (!values.done) values.element(`a value of attribute ${type}`);
        continue;
      }
      if (found !== undefined) throw new DerError(at, 'there is more than one extensionRequest');
      found = readExtensions(values.enter('the requested extensions'));
      values.finish('the requested extensions');
    }
  }
  return found ?? { dnsNames: [], ipAddresses: [], uris: [], ca: false, unknownCritical: [] };
}

function readExtensions(extensions: DerReader): RequestedExtensions {
  const names = { dnsNames: [] as string[], ipAddresses: [] as string[], uris: [] as string[] };
  const unknownCritical: string[] = [];
  const seen = new Set<string>();
  let ca = false;
  while (!extensions.done) {
    const at = extensions.offset;
    const extension = extensions.enter('an extension');
    const id = extension.oid('an extension identifier');
    if (seen.has(id)) throw new DerError(at, `extension ${id} is there twice (RFC 5280 section 4.2)`);
    seen.add(id);
    const critical = extension.peek() === TAG.boolean && extension.boolean(`criticality of ${id}`);
    const value = extension.enter(`the value of extension ${id}`, TAG.octetString);
    extension.finish(`extension ${id}`);
    if (id === OID.subjectAltName) readAlternativeNames(value, names);
    else if (id === OID.basicConstraints) ca = readBasicConstraints(value);
    else if (critical && !decidedByProfile.has(id)) unknownCritical.push(id);
  }
  return { ...names, ca, unknownCritical };
}

function readBasicConstraints(value: DerReader): boolean {
  const constraints = value.enter('basicConstraints');
  value.finish('basicConstraints');
  const ca = constraints.peek() === TAG.boolean && constraints.boolean('cA');
  if (!constraints.done) constraints.smallInteger('pathLenConstraint');
  constraints.finish('basicConstraints');
  return ca;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readAlternativeNames(
  value: DerReader,
  into: { dnsNames: string[]; ipAddresses: string[]; uris: string[] },
): void {
  const names = value.enter('subjectAltName');
  value.finish('subjectAltName');
  if (names.done) throw new DerError(names.offset, 'subjectAltName is empty (RFC 5280 section 4.2.1.6)');
  for (let count = 1; !names.done; count++) {
    if (count > MAX_NAMES) throw new DerError(names.offset, `more than ${MAX_NAMES} alternative names`);
    const { tag, start, contentStart, end } = names.element('an alternative name');
    const content = names.bytes.subarray(contentStart, end);
    switch (tag) {
      case 0x82:
        into.dnsNames.push(text(content, start));
        break;
      case 0x86:
        into.uris.push(text(content, start));
        break;
      case 0x87:
        if (content.length !== 4 && content.length !== 16) {
          throw new DerError(start, `an IP address has 4 or 16 octets, found ${content.length}`);
        }
        into.ipAddresses.push(ipText(content));
        break;
      default:
        throw new DerError(
          start,
          `alternative names of kind ${describeTag(tag)} are not supported; DNS names, IP addresses and URIs are`,
        );
    }
  }
}

/** IA5String by the book; UTF-8 beyond it is read as well, since openssl writes it, and becomes A-labels afterwards. */
function text(content: Buffer, start: number): string {
  try {
    return utf8.decode(content);
  } catch {
    throw new DerError(start, 'an alternative name is not text');
  }
}
